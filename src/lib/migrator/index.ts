/** Plain numbered SQL files, applied once each, in order, by one process at a time. */
import type postgres from "postgres";
import type { Logger } from "../log.ts";
import { isRetriable, postgresErrorCode } from "../postgres-errors.ts";
import { applyMigration } from "./apply.ts";
import { type AppliedMigration, compare, type Migration, type MigrationState, planUp } from "./plan.ts";

export type { Migration, MigrationState } from "./plan.ts";

/** `sql` must reach PostgreSQL itself: session locks don't survive a pooler in transaction mode. */
export type MigratorOptions = { sql: postgres.Sql; migrations: Migration[] };

/** `changed`: applied ones whose file differs now. `ahead`: applied ones that this release doesn't have. */
export type SchemaCheck = "ok" | { behind: string[]; ahead: string[]; changed: string[] };

/** What a statement waits for a lock that running queries hold, while others queue up behind it. */
const LOCK_TIMEOUT_MS = 5_000;
const LOCK_ATTEMPTS = 10;
const LOCK_RETRY_MS = 1_000;
const lockNotAvailable = "55P03";

/**
 * Applies what is pending, each in a transaction unless its first line is `-- posthorn:no-transaction`. Any number of processes
 * may run it at once.
 * @returns the names that this call applied.
 * @throws MigrationError when files and database don't fit together, or a file fails; those before it stay applied.
 */
export async function migrateUp(options: MigratorOptions & { log: Logger }): Promise<string[]> {
  const { sql, migrations, log } = options;
  // With fetch_types off, postgres.js 3.4.9 reserves only a connection that is open already: it would wait for ever.
  await sql`SELECT 1`;
  const connection = await sql.reserve();
  try {
    await lock(connection, log);
    await connection`SELECT set_config('lock_timeout', ${String(LOCK_TIMEOUT_MS)}, false),
                            set_config('statement_timeout', '0', false)`;
    await connection`CREATE TABLE IF NOT EXISTS schema_migrations (
      name text PRIMARY KEY,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`;
    const pending = planUp(migrations, await readApplied(connection));
    for (const migration of pending) await applyPatiently(connection, migration, log);
    return pending.map(({ name }) => name);
  } finally {
    await connection`SELECT pg_advisory_unlock_all()`.catch(() => {});
    await connection`RESET lock_timeout`.catch(() => {});
    await connection`RESET statement_timeout`.catch(() => {});
    connection.release();
  }
}

/** Every migration that is known here or there, in order. */
export async function migrationStatus({ sql, migrations }: MigratorOptions): Promise<MigrationState[]> {
  const [found] = await sql`SELECT to_regclass('schema_migrations') IS NOT NULL AS present`;
  return compare(migrations, found?.present ? await readApplied(sql) : []);
}

/** Whether the schema is the one that this release was made for. */
export async function checkSchema(options: MigratorOptions): Promise<SchemaCheck> {
  const states = await migrationStatus(options);
  const named = (wanted: MigrationState["state"]) =>
    states.filter(({ state }) => state === wanted).map(({ name }) => name);
  const check = { behind: named("pending"), ahead: named("unknown"), changed: named("changed") };
  return Object.values(check).every((names) => names.length === 0) ? "ok" : check;
}

/**
 * Asks again and again rather than waiting inside PostgreSQL: a waiting query holds a snapshot, for whose end
 * the holder's `CREATE INDEX CONCURRENTLY` would wait in its turn: a deadlock.
 */
async function lock(connection: postgres.ReservedSql, log: Logger): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const [row] =
      await connection`SELECT pg_try_advisory_lock(hashtextextended('schema_migrations', 0)) AS locked`;
    if (row?.locked) return;
    if (attempt === 20) log.info("waiting for another process that migrates");
    await Bun.sleep(50 + Math.random() * 50);
  }
}

async function applyPatiently(
  connection: postgres.ReservedSql,
  migration: Migration,
  log: Logger,
): Promise<void> {
  const started = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      await applyMigration(connection, migration);
      log.info(
        { migration: migration.name, ms: Math.round(performance.now() - started) },
        "migration applied",
      );
      return;
    } catch (error) {
      if (attempt === LOCK_ATTEMPTS || !isHeldUp(error)) throw error;
      log.warn(
        { migration: migration.name, attempt },
        "migration waits for a lock that running queries hold",
      );
      await Bun.sleep(LOCK_RETRY_MS);
    }
  }
}

/** A lock was not to be had in time, or those who run queries and it waited for each other. */
const isHeldUp = (error: unknown): boolean =>
  postgresErrorCode(error) === lockNotAvailable || isRetriable(error);

async function readApplied(sql: postgres.Sql | postgres.ReservedSql): Promise<AppliedMigration[]> {
  return sql<AppliedMigration[]>`
    SELECT name, checksum, applied_at AS "appliedAt" FROM schema_migrations ORDER BY name`;
}
