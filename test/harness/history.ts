import { createRepos } from "../../src/repos/index.ts";
import { ensurePartitions } from "../../src/services/partitions.ts";
import type { TestDatabase } from "./postgres.ts";

const dayMs = 86_400_000;

/** The partitions for rows as old as lists go back. */
export async function prepareHistory(database: TestDatabase, days = 100): Promise<void> {
  const now = Date.now();
  await ensurePartitions(createRepos(database.sql), {
    from: new Date(now - days * dayMs),
    to: new Date(now + 7 * dayMs),
  });
}

/** Drops all partitions of a table, as if nobody had made any for this week. */
export async function dropPartitions({ sql }: TestDatabase, table: "messages" | "attempts"): Promise<void> {
  const rows = await sql`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = ${table}::regclass`;
  for (const { name } of rows) await sql.unsafe(`drop table ${name}`);
}
