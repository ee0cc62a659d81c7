/**
 * The packed PostgreSQL inside the executable: a zstd-compressed tar. `bun run build` puts its own version of
 * this module in place of this one; from source there is none, and the npm package serves.
 */
export type PostgresArchive = { path: string; key: string };

export const archive: PostgresArchive | null = null;
