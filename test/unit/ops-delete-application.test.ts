import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { startApi } from "../harness/api.ts";
import { prepareHistory } from "../harness/history.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";
import { until } from "../harness/receiver.ts";
import { createRows, type Rows } from "../harness/rows.ts";

let database: TestDatabase;
let rows: Rows;
beforeAll(async () => {
  database = await createTestDatabase();
  rows = createRows(database.sql, "org_a");
  await prepareHistory(database, 20);
});
afterAll(() => database.drop());

const ops = () => opsOn(database);
const remove = (appId: string, ...args: string[]) => ops().run("delete-application", "--app", appId, ...args);

/** An application with something in every table that can name one. */
async function scene(count: number) {
  const { sql } = database;
  const app = await rows.application();
  const endpoints = [await rows.endpoint(app.id), await rows.endpoint(app.id)] as const;
  const first = Date.now() - 10 * 86_400_000;
  const ids = Array.from({ length: count }, (_, n) => newId("msg_", first + n * 200_000));
  const attempts = ids.map((_, n) => newId("atmpt_", first + n * 200_000));
  await sql`insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
            select id, 'org_a', ${app.id}, 'a', '{}', now() + interval '1 day' from unnest(${ids}::text[]) id`;
  await sql`insert into message_event_ids (app_id, event_id, message_id)
            select ${app.id}, 'e' || n, id from unnest(${ids}::text[]) with ordinality t(id, n)`;
  await sql`insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, trigger, attempt, status,
                                  response_status_code, duration_ms, url)
            select a, 'org_a', ${app.id}, m, ${endpoints[0].id}, 'a', 0, 1, 0, 200, 1, 'https://receiver.example/'
            from unnest(${attempts}::text[], ${ids}::text[]) t(a, m)`;
  await sql`insert into deliveries (message_id, endpoint_id, org_id, app_id, due_at)
            select id, ${endpoints[1].id}, 'org_a', ${app.id}, now() from unnest(${ids}::text[]) id`;
  for (const { id } of endpoints) {
    await sql`insert into endpoint_secrets (org_id, endpoint_id, secret) values ('org_a', ${id}, 'whsec_x')`;
    await sql`insert into endpoint_health (endpoint_id, org_id, failing_since, consecutive_failures)
              values (${id}, 'org_a', now(), 1)`;
    await sql`insert into attempt_counts (endpoint_id, id, org_id, succeeded, failed, canceled)
              values (${id}, ${attempts[0] as string}, 'org_a', 1, 0, 0)`;
    await sql`insert into turns (endpoint_id, org_id) values (${id}, 'org_a')`;
    await sql`insert into throttles (id, next_at) values (${id}, now())`;
    await sql`insert into poll_consumers (endpoint_id, consumer_id, org_id, position)
              values (${id}, 'c', 'org_a', 'msg_')`;
    await sql`insert into poller_tokens (id, org_id, app_id, endpoint_id) values (${`pt_${id}`}, 'org_a', ${app.id}, ${id})`;
  }
  await sql`insert into throttles (id, next_at) values (${app.id}, now())`;
  await sql`insert into integrations (id, org_id, app_id, name) values (${newId("integ_")}, 'org_a', ${app.id}, 'n')`;
  await sql`insert into background_tasks (id, org_id, app_id, kind, status, input)
            values (${newId("qtask_")}, 'org_a', ${app.id}, 'endpoint.recover', 'finished', '{}')`;
  return { app, endpoints, ids };
}

/** Every row of every table, but for the log and the schedules, that has one of the ids somewhere. */
async function traces(ids: string[]): Promise<Record<string, number>> {
  const { sql } = database;
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class c where relkind in ('r', 'p') and not relispartition
      and relnamespace = 'public'::regnamespace and relname not in ('audit_log', 'schema_migrations')`;
  const found: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await sql`
      select count(*)::int as count from ${sql(name)} t
      where exists (select 1 from unnest(${ids}::text[]) id where t::text like '%' || id || '%')`;
    if (row?.count > 0) found[name] = row?.count;
  }
  return found;
}

test("a dry run counts; without a yes nothing happens; then every trace is gone, and nobody else's", async () => {
  const { app, endpoints } = await scene(1_200);
  const other = await scene(20);
  const ids = [app.id, ...endpoints.map(({ id }) => id)];
  const others = await traces([other.app.id, ...other.endpoints.map(({ id }) => id)]);
  const before = await traces(ids);
  const expected = { endpoints: 2, deliveries: 1_200, attempts: 1_200, messages: 1_200 };

  expect(await remove(app.id, "--dry-run")).toMatchObject({ code: 0, err: "", summary: expected });
  expect(await remove(app.id)).toMatchObject({
    code: 2,
    err: expect.stringContaining("2 endpoints, 1200 messages"),
  });
  expect(await traces(ids)).toEqual(before);

  const ran = await remove(app.id, "--yes");
  expect([ran.code, ran.err, ran.summary]).toMatchObject([0, "", expected]);
  expect(await traces(ids)).toEqual({});
  expect(await traces([other.app.id, ...other.endpoints.map(({ id }) => id)])).toEqual(others);
  const log = await database.sql`select actor, action, org_id from audit_log where target = ${app.id}`;
  expect(log).toMatchObject([{ action: "application.erase", org_id: "org_a" }]);
  expect(log[0]?.actor).toStartWith("operator:");
  expect(await remove(app.id, "--yes")).toMatchObject({
    code: 2,
    err: expect.stringContaining("no application"),
  });
}, 60_000);

test("the API finds it no more from the start; interrupted and killed, the same command ends it", async () => {
  const { app, endpoints } = await scene(300);
  const api = await startApi({ database });
  const ids = [app.id, ...endpoints.map(({ id }) => id)];
  const size = async () => Object.values(await traces(ids)).reduce((sum, count) => sum + count, 0);
  const command = ["delete-application", "--app", app.id, "--yes"];
  try {
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const before = await size();
      const child = ops().start(...command, "--rate", "50");
      await until(async () => (await size()) < before - 50, 30_000);
      expect((await api.request("GET", `/app/${app.id}`)).status).toBe(404);
      const cut = await ops().cut(child, signal);
      if (signal === "SIGINT") expect([cut.code, cut.summary?.interrupted]).toEqual([130, true]);
    }
    expect(await size()).toBeGreaterThan(0);
    expect((await ops().run(...command)).code).toBe(0);
    expect(await traces(ids)).toEqual({});
  } finally {
    await api.stop();
  }
}, 90_000);

test("what a worker has under a lease ends first", async () => {
  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  const message = await rows.message(app.id);
  const lease = crypto.randomUUID();
  await rows.delivery(app.id, message, endpoint, { lease, dueAt: new Date(Date.now() + 3_600_000) });
  const child = ops().start("delete-application", "--app", app.id, "--yes");
  const tries = async () =>
    (
      await database.sql`select 1 from pg_stat_activity where datname = current_database()
                         and application_name = 'posthorn ops delete-application'
                         and query like '%delete from deliveries%'`
    ).length > 0;
  await until(tries, 20_000);
  expect((await database.sql`select 1 from deliveries where lease = ${lease}`).length).toBe(1);
  // What the worker writes when it is through.
  await rows.attempt(app.id, message, endpoint);
  await database.sql`delete from deliveries where lease = ${lease}`;
  expect((await ops().finish(child)).code).toBe(0);
  expect(await traces([app.id, endpoint.id])).toEqual({});
}, 60_000);

test.each([
  [["--app", "acme"], "--app is app_ and 27"],
  [["--app", newId("app_"), "--rate", "0"], "--rate is a whole number"],
  [["--app", newId("app_"), "--yes"], "There is no application"],
  [[], "Missing --app"],
])("delete-application %j exits 2", async (args, message) => {
  const ended = await ops().run("delete-application", ...args);
  expect(ended).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});
