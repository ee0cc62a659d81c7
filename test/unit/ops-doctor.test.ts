import { afterAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createSealer } from "../../src/lib/sealed.ts";
import { diskFinding, type Finding } from "../../src/services/doctor.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase, temporaryFolder } from "../harness/postgres.ts";
import { createRows } from "../harness/rows.ts";

const database = await createTestDatabase();
const { sql } = database;
const rows = createRows(sql, "org_a");
afterAll(() => database.drop());

const key = randomBytes(32);
const env = {
  ENCRYPTION_KEY: key.toString("base64"),
  JWT_SECRET: "kJ8sQ2vZ7xN4mB1cW9eR5tY3uI6oP0aSdFgHjKlQ",
};
const doctor = async (over: Record<string, string> = {}) => {
  const { code, err, lines } = await opsOn(database, { ...env, ...over }).run("doctor", "--json");
  const findings = lines as unknown as Finding[];
  return { code, err, findings, of: (check: string) => findings.find((one) => one.check === check) };
};
const beat = () => sql`insert into workers (id, seen_at) values ('w', now() + interval '1 hour')
                       on conflict (id) do update set seen_at = excluded.seen_at`;

test("one fault after another is found, with what to do, and the exit code says so", async () => {
  // The tests' server goes without fsync, which is a fault itself.
  const idle = await doctor();
  expect([idle.code, idle.err]).toEqual([1, ""]);
  expect(idle.of("durability")).toMatchObject({ state: "fail", found: expect.stringContaining("fsync") });
  expect(idle.of("workers")).toMatchObject({ state: "warn", advice: expect.stringContaining("app worker") });
  for (const check of [
    "database",
    "version",
    "schema",
    "clock",
    "partitions",
    "queue",
    "breakers",
    "leases",
    "secrets",
  ]) {
    expect(idle.of(check)).toMatchObject({ check, state: "ok", advice: null });
  }

  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  const late = { dueAt: new Date(Date.now() - 3_600_000) };
  await rows.delivery(app.id, await rows.message(app.id), endpoint, late);
  await rows.delivery(app.id, await rows.message(app.id), endpoint, { ...late, lease: crypto.randomUUID() });
  const foreign = createSealer([randomBytes(32)]);
  await sql`insert into endpoint_secrets (org_id, endpoint_id, secret) values ('org_a', ${endpoint.id}, ${foreign.seal("x")})`;
  await sql`insert into schedules (name, last_run_at) values ('partitions', now() - interval '3 days')`;
  const failing = await rows.endpoint(app.id);
  await sql`insert into endpoint_health (endpoint_id, org_id, failing_since, consecutive_failures, open_until)
            values (${failing.id}, 'org_a', now(), 10, now() + interval '1 hour')`;
  const sick = await doctor();
  expect(sick.of("breakers")).toMatchObject({ state: "warn", found: expect.stringContaining("1 endpoints") });
  expect(sick.of("workers")).toMatchObject({ state: "fail", found: expect.stringContaining("1 deliveries") });
  expect(sick.of("queue")).toMatchObject({ state: "fail", found: expect.stringContaining("1 endpoints") });
  expect(sick.of("leases")?.state).toBe("warn");
  expect(sick.of("schedules")?.found).toContain("partitions ran 3 d ago");
  expect(sick.of("secrets")).toMatchObject({ state: "fail" });

  await beat();
  await sql`update endpoint_secrets set secret = 'whsec_x'`;
  const [table] = await sql`select max(relname) as name from pg_class where relname ~ '^messages_[0-9]{8}$'`;
  await sql.unsafe(`drop table ${table?.name}`);
  const better = await doctor();
  expect(better.of("workers")).toMatchObject({ state: "ok" });
  expect(better.of("secrets")).toMatchObject({
    state: "warn",
    advice: expect.stringContaining("rotate-secret"),
  });
  expect((await doctor({ ENCRYPTION_KEY: "" })).of("secrets")?.found).toBe("stored in the clear");

  await sql`delete from schema_migrations where name = (select max(name) from schema_migrations)`;
  const old = await doctor();
  expect([old.code, old.findings.at(-1)]).toMatchObject([1, { check: "schema", advice: "Run app migrate." }]);
}, 60_000);

test("a wrong environment and a database that isn't there are findings too", async () => {
  const wrong = await doctor({ RETRY_JITTER: "2" });
  expect([wrong.code, wrong.findings]).toMatchObject([1, [{ check: "configuration", state: "fail" }]]);
  const away = await doctor({ DATABASE_URL: "postgres://127.0.0.1:1/none" });
  expect([away.code, away.findings.at(-1)]).toMatchObject([1, { check: "database", state: "fail" }]);
  const nowhere = await doctor({ DATABASE_URL: "", DATA_DIR: `${temporaryFolder()}/none` });
  expect([nowhere.code, nowhere.findings.at(-1)?.found]).toEqual([1, expect.stringContaining("there is no")]);
}, 60_000);

test("a disk that fills up", () => {
  expect([0.5, 0.05, 0.01].map((free) => diskFinding({ free, total: 1 }).state)).toEqual([
    "ok",
    "warn",
    "fail",
  ]);
});
