import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";
import { migrateUp } from "../lib/migrator/index.ts";
import { migrations } from "../migrations.ts";
import type { Repos } from "../repos/index.ts";
import { ensurePartitions, partitionsAhead } from "./partitions.ts";

/** Applies what is pending, and makes the partitions of these weeks, or else of all that must stand. */
export async function bringUpToDate(
  direct: Sql,
  repos: Repos,
  log: Logger,
  weeks = partitionsAhead(new Date()),
): Promise<string[]> {
  const applied = await migrateUp({ sql: direct, migrations, log });
  await ensurePartitions(repos, weeks);
  return applied;
}
