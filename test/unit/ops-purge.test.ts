import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { prepareHistory } from "../harness/history.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";
import { until } from "../harness/receiver.ts";
import { createRows, type Rows } from "../harness/rows.ts";

const dayMs = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);
let database: TestDatabase;
let rows: Rows;
beforeAll(async () => {
  database = await createTestDatabase();
  rows = createRows(database.sql, "org_a");
  await prepareHistory(database, 60);
});
afterAll(() => database.drop());

const ops = () => opsOn(database);
const purge = (...args: string[]) => ops().run("purge", ...args);
const partitions = async () =>
  (
    await database.sql<{ name: string }[]>`
      select inhrelid::regclass::text as name from pg_inherits
      where inhparent = any(array['messages'::regclass, 'attempts'::regclass, 'attempt_counts'::regclass]) order by 1`
  ).map(({ name }) => name);
const filled = async (appId: string) =>
  (
    await database.sql<{ id: string }[]>`
      select id from messages where app_id = ${appId} and payload is not null order by id`
  ).map(({ id }) => id);

test("old weeks are dropped with their eventIds, payloads expunged: tried, then done, then nothing is left to do", async () => {
  const app = await rows.application();
  const ancient = await rows.message(app.id, { at: daysAgo(55), eventId: "ancient" });
  const expired = await rows.message(app.id, { at: daysAgo(10), payloadExpiresAt: daysAgo(1) });
  const old = await rows.message(app.id, { at: daysAgo(20), eventId: "old" });
  const late = await rows.message(app.id, { at: daysAgo(20), deliverAt: daysAgo(-1) });
  const young = await rows.message(app.id, { at: daysAgo(2) });
  const before = await partitions();
  const args = ["--history", "30", "--payloads", "14"];

  const dry = await purge(...args, "--dry-run");
  expect([dry.code, dry.err]).toEqual([0, ""]);
  expect(dry.summary).toMatchObject({ dryRun: true, payloads: 3, eventIds: 1 });
  expect(await partitions()).toEqual(before);
  expect(await filled(app.id)).toEqual([ancient, old, late, expired, young].map(({ id }) => id).toSorted());

  expect(await purge(...args)).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
  const ran = await purge(...args, "--yes");
  expect([ran.code, ran.err]).toEqual([0, ""]);
  expect(ran.summary).toMatchObject({ eventIds: 1, payloads: 2 });
  const gone = before.filter(
    (name) =>
      Date.parse(name.replace(/.*_(....)(..)(..)$/, "$1-$2-$3")) + 7 * dayMs <= Date.now() - 30 * dayMs,
  );
  expect(gone.length).toBeGreaterThanOrEqual(6);
  expect(ran.lines.filter(({ event }) => event === "dropped").map(({ partition }) => partition)).toEqual(
    gone,
  );
  expect(ran.summary?.partitions).toBe(gone.length);
  expect(await partitions()).toEqual(before.filter((name) => !gone.includes(name)));
  expect(await filled(app.id)).toEqual([late, young].map(({ id }) => id).toSorted());
  expect(await database.sql`select event_id from message_event_ids`).toMatchObject([{ event_id: "old" }]);

  const again = await purge(...args, "--yes");
  expect([again.code, again.summary]).toMatchObject([0, { partitions: 0, eventIds: 0, payloads: 0 }]);
  const log = await database.sql`select actor, detail from audit_log where action = 'history.purge'`;
  expect(log).toMatchObject([{ detail: { historyDays: 30, payloadDays: 14 } }]);
  expect(log[0]?.actor).toStartWith("operator:");
}, 60_000);

test("interrupted or killed, the same command goes on with what is left", async () => {
  const app = await rows.application();
  const ids = Array.from({ length: 4_500 }, (_, n) => newId("msg_", Date.now() - dayMs + n * 4));
  await database.sql`
    insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
    select id, 'org_a', ${app.id}, 'a', '{}', now() - interval '1 hour' from unnest(${ids}::text[]) id`;
  const kept = await rows.message(app.id);
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const left = (await filled(app.id)).length;
    const child = ops().start("purge", "--yes", "--rate", "100");
    await until(async () => (await filled(app.id)).length < left, 20_000);
    const cut = await ops().cut(child, signal);
    if (signal === "SIGINT") expect([cut.code, cut.summary?.interrupted]).toEqual([130, true]);
  }
  const left = (await filled(app.id)).length - 1;
  expect(left).toBeGreaterThan(0);
  const ran = await purge("--yes");
  expect([ran.code, ran.summary]).toMatchObject([0, { payloads: left }]);
  expect(await filled(app.id)).toEqual([kept.id]);
}, 60_000);

test.each([
  [["--history", "0"], "--history is a whole number from 1"],
  [["--payloads", "x"], "--payloads is a whole number from 1"],
  [["--rate", "0"], "--rate is a whole number"],
])("purge %j exits 2", async (args, message) => {
  expect(await purge(...args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});
