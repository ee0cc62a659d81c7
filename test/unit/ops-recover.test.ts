import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
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
const recover = (...args: string[]) => ops().run("recover", ...args);

/** Every second message has failed, the others have arrived. */
async function scene(count: number) {
  const { sql } = database;
  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  const first = Date.now() - 3_600_000;
  const ids = Array.from({ length: count }, (_, n) => newId("msg_", first + n * 4));
  const attempts = ids.map((_, n) => newId("atmpt_", first + n * 4));
  await sql`insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
            select id, 'org_a', ${app.id}, 'a', '{}', now() + interval '1 day' from unnest(${ids}::text[]) id`;
  await sql`insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, trigger, attempt, status,
                                  response_status_code, duration_ms, url)
            select a, 'org_a', ${app.id}, m, ${endpoint.id}, 'a', 0, 8, case when n % 2 = 0 then 2 else 0 end, 500, 1,
                   'https://receiver.example/'
            from unnest(${attempts}::text[], ${ids}::text[]) with ordinality t(a, m, n)`;
  return { app, endpoint, failed: ids.filter((_, n) => n % 2 === 1) };
}
const queued = async (endpointId: string) =>
  (
    await database.sql<{ message_id: string }[]>`
      select message_id from deliveries where endpoint_id = ${endpointId} order by 1`
  ).map((row) => row.message_id);
const tasks = (endpointId: string) =>
  database.sql`select id, kind, status from background_tasks where input->>'endpointId' = ${endpointId}`;

test("a dry run counts; a run queues what has failed, once, says that no worker runs, and is audited", async () => {
  const { endpoint, failed } = await scene(1_200);
  const args = ["--endpoint", endpoint.id, "--since", "2h"];
  const dry = await recover(...args, "--dry-run");
  expect([dry.code, dry.err, dry.summary]).toMatchObject([0, "", { scanned: 1_200, queued: 600 }]);
  expect(await tasks(endpoint.id)).toHaveLength(0);

  const ran = await recover(...args);
  expect([ran.code, ran.err, ran.summary]).toMatchObject([0, "", { scanned: 1_200, queued: 600, failed: 0 }]);
  expect(ran.lines.map(({ event }) => event)).toContain("no-worker");
  expect(await queued(endpoint.id)).toEqual(failed);
  expect(await tasks(endpoint.id)).toMatchObject([{ kind: "endpoint.recover", status: "finished" }]);
  const [entry] = await database.sql`select actor, action from audit_log where target = ${endpoint.id}`;
  expect(entry).toMatchObject({
    actor: expect.stringMatching(/^operator:.+@.+/),
    action: "endpoint.recover",
  });

  expect((await recover(...args)).summary).toMatchObject({ queued: 0, failed: 0 });
}, 60_000);

/** As a run leaves it that was killed in its first batch, or one under way: nothing done, and under a lease. */
async function leaseElsewhere(endpointId: string): Promise<void> {
  await database.sql`delete from deliveries where endpoint_id = ${endpointId}`;
  await database.sql`
    update background_tasks set status = 'running', cursor = null, scanned = 0, queued = 0,
           lease = gen_random_uuid(), leased_until = now() + interval '1 hour'
    where input->>'endpointId' = ${endpointId}`;
}
/** A command that has come as far as asking for the lease. */
async function watching(args: string[]) {
  const child = ops().start("recover", ...args);
  const asks = async () =>
    (
      await database.sql`select 1 from pg_stat_activity where datname = current_database()
                         and application_name = 'posthorn ops recover' and query like 'update "background_tasks"%'`
    ).length > 0;
  await until(asks, 20_000);
  return child;
}

test("while somebody else works on the task it watches, interrupted it leaves it be, and freed it goes on", async () => {
  const { endpoint, failed } = await scene(700);
  const args = ["--endpoint", endpoint.id, "--since", "2h"];
  const first = await recover(...args);
  await leaseElsewhere(endpoint.id);
  const interrupted = await watching(args);
  const cut = await ops().cut(interrupted, "SIGINT");
  expect([cut.code, cut.summary]).toMatchObject([130, { interrupted: true, queued: 0 }]);

  await ops().cut(await watching(args), "SIGKILL");
  const child = await watching(args);
  expect(await queued(endpoint.id)).toEqual([]);
  await database.sql`update background_tasks set leased_until = now() where input->>'endpointId' = ${endpoint.id}`;
  const ended = await ops().finish(child);
  expect([ended.code, ended.lines[0], ended.summary]).toMatchObject([
    0,
    { event: "resuming", task: first.summary?.task },
    { scanned: 700, queued: 350 },
  ]);
  expect(await queued(endpoint.id)).toEqual(failed);
  expect(await tasks(endpoint.id)).toHaveLength(1);
}, 60_000);

test("canceled by somebody else it says so and exits 1", async () => {
  const { endpoint } = await scene(10);
  const args = ["--endpoint", endpoint.id, "--since", "2h"];
  await recover(...args);
  await leaseElsewhere(endpoint.id);
  const child = await watching(args);
  await database.sql`update background_tasks set status = 'canceled' where input->>'endpointId' = ${endpoint.id}`;
  const ended = await ops().finish(child);
  expect([ended.code, ended.lines.map(({ event }) => event)]).toEqual([
    1,
    expect.arrayContaining(["canceled"]),
  ]);
}, 60_000);

test("what can't be done is said, with an exit code", async () => {
  const { app, endpoint } = await scene(2);
  const off = await rows.endpoint(app.id, { disabled: true });
  const cases: [string[], number, string][] = [
    [["--endpoint", off.id, "--since", "2h"], 2, "is disabled"],
    [["--endpoint", newId("ep_"), "--since", "2h"], 1, "not found"],
    [["--endpoint", "ep_1", "--since", "2h"], 2, "--endpoint is ep_"],
    [["--endpoint", endpoint.id, "--since", "15d"], 2, "--since must be at most 14 days ago"],
    [["--endpoint", endpoint.id, "--since", "1h", "--until", "2h"], 2, "later than --until"],
    [["--endpoint", endpoint.id, "--since", "2h", "--rate", "0"], 2, "--rate is a whole number"],
  ];
  for (const [args, code, sentence] of cases) {
    const ended = await recover(...args);
    expect([args, ended.code, ended.err.includes(sentence) || ended.err]).toEqual([args, code, true]);
  }
}, 60_000);
