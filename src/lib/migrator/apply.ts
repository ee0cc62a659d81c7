import type postgres from "postgres";
import { checksum, type Migration, MigrationError } from "./plan.ts";
import { splitStatements } from "./statements.ts";

/**
 * On a file's first line: run its statements one by one outside a transaction, as `CREATE INDEX CONCURRENTLY`
 * needs. What fails midway has kept what came before and runs from the top again: write each statement so
 * that it can (`DROP INDEX CONCURRENTLY IF EXISTS …` first).
 */
const NO_TRANSACTION = "-- posthorn:no-transaction";

/** Applies one migration and records it. @throws MigrationError that names the file and, where known, the line. */
export async function applyMigration(connection: postgres.ReservedSql, migration: Migration): Promise<void> {
  const alone = migration.sql.trimStart().split("\n", 1)[0]?.trim() === NO_TRANSACTION;
  if (alone) {
    for (const statement of splitStatements(migration.sql)) await run(connection, migration, statement);
    await record(connection, migration);
    return;
  }
  await connection`BEGIN`;
  try {
    await run(connection, migration, migration.sql);
    await record(connection, migration);
    await connection`COMMIT`;
  } catch (error) {
    await connection`ROLLBACK`.catch(() => {});
    throw error;
  }
}

async function run(connection: postgres.ReservedSql, migration: Migration, text: string): Promise<void> {
  try {
    await connection.unsafe(text);
  } catch (cause) {
    const offset = migration.sql.indexOf(text) + Number(Reflect.get(Object(cause), "position") ?? Number.NaN);
    const line = Number.isNaN(offset) ? "" : `, line ${migration.sql.slice(0, offset).split("\n").length}`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError(`migration ${migration.name}${line}: ${reason}`, { cause });
  }
}

async function record(connection: postgres.ReservedSql, migration: Migration): Promise<void> {
  await connection`INSERT INTO schema_migrations (name, checksum) VALUES (${migration.name}, ${checksum(migration)})`;
}
