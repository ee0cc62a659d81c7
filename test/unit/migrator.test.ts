import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { checkSchema, type Migration, migrateUp, migrationStatus } from "../../src/lib/migrator/index.ts";
import { readFolder } from "../../src/lib/migrator/read-folder.ts";
import { splitStatements } from "../../src/lib/migrator/statements.ts";
import { migrations as shipped } from "../../src/migrations.ts";
import { createTestDatabase, silent, type TestDatabase } from "../harness/postgres.ts";

const first: Migration = {
  name: "0001_initial.sql",
  sql: "CREATE TABLE things (id int PRIMARY KEY);\nINSERT INTO things VALUES (1);",
};
const second: Migration = {
  name: "0002_index.sql",
  sql: `-- posthorn:no-transaction
DROP INDEX CONCURRENTLY IF EXISTS things_twice;
CREATE INDEX CONCURRENTLY things_twice ON things ((id * 2));`,
};
const third: Migration = { name: "0003_more.sql", sql: "ALTER TABLE things ADD COLUMN note text;" };

let database: TestDatabase;

const up = (...migrations: Migration[]) => migrateUp({ sql: database.sql, migrations, log: silent });

describe("the migrator", () => {
  const opened: TestDatabase[] = [];

  beforeEach(async () => {
    database = await createTestDatabase({ migrated: false });
    opened.push(database);
  }, 30_000);

  afterAll(async () => {
    await Promise.all(opened.map(({ drop }) => drop()));
  });

  test("applies what is pending, in order, and nothing twice", async () => {
    expect(await up(first, second)).toEqual([first.name, second.name]);
    expect(await up(first, second, third)).toEqual([third.name]);
    expect(await up(first, second, third)).toEqual([]);
    expect([...(await database.sql`SELECT id, note FROM things`)]).toEqual([{ id: 1, note: null }]);
  });

  test("sixteen at once apply each migration once, one without a transaction among them", async () => {
    const pools = Array.from({ length: 16 }, () =>
      connect(database.url, { max: 1, prepare: false, applicationName: "test" }),
    );
    const applied = await Promise.all(
      pools.map((sql) => migrateUp({ sql, migrations: [first, second, third], log: silent })),
    );
    expect(applied.flat().sort()).toEqual([first.name, second.name, third.name]);
    await Promise.all(pools.map((sql) => sql.end()));
  }, 20_000);

  test("a failing file leaves nothing of itself, keeps those before it, and is named with its line", async () => {
    const broken = { name: "0002_broken.sql", sql: "CREATE TABLE half (id int);\nSELECT nothing;" };
    await expect(up(first, broken)).rejects.toThrow('migration 0002_broken.sql, line 2: column "nothing"');
    const [row] = await database.sql`SELECT to_regclass('things') AS things, to_regclass('half') AS half`;
    expect(row).toEqual({ things: "things", half: null });
    expect(await up(first, { ...third, name: "0002_more.sql" })).toEqual(["0002_more.sql"]);
  });

  test("refuses a file that was changed after it was applied, but not for its line ends", async () => {
    await up(first);
    expect(await up({ ...first, sql: first.sql.replaceAll("\n", "\r\n") })).toEqual([]);
    await expect(up({ ...first, sql: `${first.sql} ` })).rejects.toThrow(
      "0001_initial.sql was changed after",
    );
  });

  test("refuses gaps, doubles and strangers", async () => {
    await expect(up(first, third)).rejects.toThrow(
      "0003_more.sql stands where one named 0002_….sql is expected",
    );
    await up(first, { ...second, name: "0002_other.sql" });
    await expect(up(first, second, third)).rejects.toThrow(
      "has migration 0002_other.sql, which this release",
    );
  });

  test("an older release runs on a newer schema", async () => {
    await up(first, second, third);
    expect(await up(first)).toEqual([]);
    expect(await checkSchema({ sql: database.sql, migrations: [first] })).toEqual({
      behind: [],
      ahead: [second.name, third.name],
      changed: [],
    });
  });

  test("leaves the connection as it was: no lock, no timeout", async () => {
    const sql = connect(database.url, { max: 1, prepare: false, applicationName: "test" });
    await migrateUp({ sql, migrations: [first], log: silent });
    const [row] = await sql`SELECT current_setting('lock_timeout') AS timeout,
      (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks`;
    expect(row).toEqual({ timeout: "0", locks: 0 });
    await sql.end();
  });

  test("status and check say what is pending without writing anything", async () => {
    const options = { sql: database.sql, migrations: [first, second] };
    expect(await checkSchema(options)).toEqual({ behind: [first.name, second.name], ahead: [], changed: [] });
    expect((await migrationStatus(options)).map(({ state }) => state)).toEqual(["pending", "pending"]);
    const [row] = await database.sql`SELECT to_regclass('schema_migrations') AS found`;
    expect(row).toEqual({ found: null });
    await up(first, second);
    expect(await checkSchema(options)).toBe("ok");
  });
});

test("the inlined migrations are the folder's files", () => {
  expect(shipped).toEqual(readFolder(`${import.meta.dir}/../../migrations`));
});

test.each<[string, string[]]>([
  ["SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
  ["SELECT ';'; SELECT 'it''s;'", ["SELECT ';'", "SELECT 'it''s;'"]],
  [String.raw`SELECT e'\';'; SELECT '\'`, [String.raw`SELECT e'\';'`, String.raw`SELECT '\'`]],
  ['SELECT ";"; SELECT 1', ['SELECT ";"', "SELECT 1"]],
  ["DO $$ BEGIN; END $$; SELECT $a$ $$;$a$", ["DO $$ BEGIN; END $$", "SELECT $a$ $$;$a$"]],
  ["SELECT 1 -- a; b\n; /* c; /* d; */ ; */ SELECT 2;", ["SELECT 1 -- a; b", "/* c; /* d; */ ; */ SELECT 2"]],
  ["SELECT a$b FROM t; SELECT $1", ["SELECT a$b FROM t", "SELECT $1"]],
  ["SELECT type'x;'; ;; -- only a comment", ["SELECT type'x;'"]],
  ["SELECT 'open; ", ["SELECT 'open;"]],
])("splits %p", (sql, statements) => {
  expect(splitStatements(sql)).toEqual(statements);
});
