import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";
import { migrateUp } from "../lib/migrator/index.ts";
import { migrations } from "../migrations.ts";
import type { Repos } from "../repos/index.ts";
import { ensureCurrentPartitions } from "./partitions.ts";

/** Applies what is pending, and makes the partitions that the coming weeks need. */
export async function bringUpToDate(direct: Sql, repos: Repos, log: Logger): Promise<string[]> {
  const applied = await migrateUp({ sql: direct, migrations, log });
  await ensureCurrentPartitions(repos);
  return applied;
}
