/** Files that the executable carries: the import gives the path to read one from. */
declare module "swagger-ui-dist/*" {
  const path: string;
  export default path;
}
