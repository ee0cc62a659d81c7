/**
 * What the executable carries of PostgreSQL: its programs, and a cluster as initdb makes it, if the build could run
 * initdb (see folder-pack.ts for the form). `bun run build` puts its own version of this module in place of this one;
 * from source there is none, and the npm package serves.
 */
export type PostgresArchive = { programs: string; key: string; cluster: string | null };

export const archive: PostgresArchive | null = null;
