/**
 * The PostgreSQL inside the executable, as packed-folder.ts packs. `bun run build` puts its own version of this
 * module in place of this one; from source there is none, and the npm package serves.
 */
export type PostgresArchive = {
  path: string;
  /** Names the content. */
  key: string;
  /** A cluster as `provideCluster` would make it; null in an executable that was built on another platform. */
  clusterPath: string | null;
};

export const archive: PostgresArchive | null = null;
