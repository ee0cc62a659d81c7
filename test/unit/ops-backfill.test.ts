import { afterAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { prepareHistory } from "../harness/history.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { until } from "../harness/receiver.ts";
import { createRows } from "../harness/rows.ts";

const database = await createTestDatabase();
const { sql } = database;
const rows = createRows(sql, "org_a");
await prepareHistory(database);
afterAll(() => database.drop());

const ops = opsOn(database);
const { finish } = ops;
const backfill = (...args: string[]) => ops.start("backfill", ...args);

const scene = async (count: number) => {
  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  const first = Date.now() - 3_600_000;
  const ids = Array.from({ length: count }, (_, n) => newId("msg_", first + n * 4));
  await sql`insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
            select id, 'org_a', ${app.id}, case when n % 2 = 0 then 'even' else 'odd' end, '{}', now() + interval '1 day'
            from unnest(${ids}::text[]) with ordinality t(id, n)`;
  return { app, endpoint, ids };
};
const queued = async (endpointId: string) =>
  (
    await sql<
      { message_id: string }[]
    >`select message_id from deliveries where endpoint_id = ${endpointId} order by 1`
  ).map((row) => row.message_id);
const queuedAtLeast = (endpointId: string, count: number) =>
  until(async () => (await queued(endpointId)).length >= count, 30_000);

test("a dry run counts and writes nothing; a run queues what is missing and is audited", async () => {
  const { endpoint, ids } = await scene(700);
  const dry = await finish(
    backfill("--endpoint", endpoint.id, "--since", "2h", "--event-type", "even", "--dry-run"),
  );
  expect([dry.code, dry.err]).toEqual([0, ""]);
  expect(dry.summary).toMatchObject({ dryRun: true, scanned: 700, queued: 350 });
  expect(await queued(endpoint.id)).toEqual([]);
  expect(await sql`select 1 from background_tasks where input->>'endpointId' = ${endpoint.id}`).toHaveLength(
    0,
  );

  const ran = await finish(backfill("--endpoint", endpoint.id, "--since", "2h"));
  expect([ran.code, ran.summary]).toMatchObject([0, { scanned: 700, queued: 700, failed: 0 }]);
  expect(await queued(endpoint.id)).toEqual(ids);
  const [entry] = await sql`select actor, action, detail from audit_log where target = ${endpoint.id}`;
  expect(entry?.actor).toMatch(/^operator:.+@.+/);
  expect(entry?.action).toBe("endpoint.backfill");

  const again = await finish(backfill("--endpoint", endpoint.id, "--since", "2h"));
  expect([again.code, again.summary]).toMatchObject([0, { scanned: 700, queued: 0 }]);
}, 60_000);

test("interrupted by a signal it exits 130; the same command goes on; nothing is queued twice", async () => {
  const { endpoint, ids } = await scene(300);
  const command = ["--endpoint", endpoint.id, "--since", "2h", "--rate", "50"];
  const child = backfill(...command);
  await queuedAtLeast(endpoint.id, 50);
  child.kill("SIGINT");
  const first = await finish(child);
  expect([first.code, first.summary?.interrupted]).toEqual([130, true]);
  const before = await queued(endpoint.id);
  expect(before.length).toBeLessThan(300);
  // Delivered in between: it must not come back.
  await sql`delete from deliveries where endpoint_id = ${endpoint.id}`;

  const second = await finish(backfill(...command));
  expect(second.lines.map(({ event }) => event)).toContain("resuming");
  expect(second.code).toBe(0);
  expect([...before, ...(await queued(endpoint.id))]).toEqual(ids);
}, 60_000);

test("killed with -9 it goes on once its lease has run out", async () => {
  const { endpoint, ids } = await scene(200);
  const command = ["--endpoint", endpoint.id, "--since", "2h", "--rate", "20"];
  const child = backfill(...command);
  await queuedAtLeast(endpoint.id, 20);
  child.kill("SIGKILL");
  await child.exited;
  const before = await queued(endpoint.id);
  await sql`delete from deliveries where endpoint_id = ${endpoint.id}`;
  await sql`update background_tasks set leased_until = now() + interval '2 seconds' where status = 'running'
            and input->>'endpointId' = ${endpoint.id}`;
  // The rate belongs to the command, not to the task.
  const second = await finish(backfill("--endpoint", endpoint.id, "--since", "2h"));
  expect([second.code, second.lines[0]?.event]).toEqual([0, "resuming"]);
  expect([...before, ...(await queued(endpoint.id))]).toEqual(ids);
}, 60_000);

test("what can't be done is said, with an exit code", async () => {
  const { app, endpoint } = await scene(1);
  const off = await rows.endpoint(app.id, { disabled: true });
  const cases: [string[], number, string][] = [
    [["--endpoint", off.id, "--since", "2h"], 2, "is disabled"],
    [["--endpoint", newId("ep_"), "--since", "2h"], 1, "not found"],
    [["--endpoint", "ep_1", "--since", "2h"], 2, "--endpoint is ep_"],
    [["--endpoint", endpoint.id, "--since", "soon"], 2, "--since is a time"],
    [["--endpoint", endpoint.id, "--since", "1h", "--until", "2h"], 2, "later than --until"],
    [["--endpoint", endpoint.id, "--since", "2h", "--only", "some"], 2, "--only is missing"],
    [["--endpoint", endpoint.id, "--since", "2h", "--rate", "0"], 2, "--rate is a whole number"],
    [["--endpoint", endpoint.id, "--sinse", "2h"], 2, "since"],
  ];
  for (const [args, code, sentence] of cases) {
    const ended = await finish(backfill(...args));
    expect([args, ended.code, ended.err.includes(sentence) || ended.err]).toEqual([args, code, true]);
  }
}, 60_000);
