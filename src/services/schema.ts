import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";
import { migrateUp } from "../lib/migrator/index.ts";
import { migrations } from "../migrations.ts";
import type { Repos } from "../repos/index.ts";
import { ensurePartitions, partitionsAhead } from "./partitions.ts";

/**
 * Applies what is pending, and makes the partitions of a range of time.
 * @param range by default from a week ago to eight weeks ahead
 */
export async function bringUpToDate(
  direct: Sql,
  repos: Repos,
  log: Logger,
  range = partitionsAhead(new Date()),
): Promise<string[]> {
  const applied = await migrateUp({ sql: direct, migrations, log });
  await ensurePartitions(repos, range);
  return applied;
}
