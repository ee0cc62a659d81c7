import { afterAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { idBound, newId } from "../../src/lib/ids.ts";
import { createRepos } from "../../src/repos/index.ts";
import { runSchedule, type Schedule, schedules, startSchedules } from "../../src/tasks/schedules.ts";
import { prepareHistory } from "../harness/history.ts";
import { createTestDatabase, silent } from "../harness/postgres.ts";
import { until } from "../harness/receiver.ts";
import { createRows } from "../harness/rows.ts";

const database = await createTestDatabase();
const client = connect(database.url, { max: 4, prepare: true, applicationName: "posthorn test" });
const repos = createRepos(client);
const rows = createRows(database.sql, "org_a");
const { sql } = database;
await prepareHistory(database);
afterAll(async () => {
  await client.end({ timeout: 1 });
  await database.drop();
});

const parts = { repos, log: silent, retentionDays: 90 };
const { signal } = new AbortController();
const named = (name: string) => schedules.find((schedule) => schedule.name === name) as Schedule;
const run = (name: string) => named(name).runOnce({ repos, retentionDays: 90, now: new Date(), signal });
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

test("payloads that are past their time are expunged, however many, and only they", async () => {
  const app = await rows.application();
  const kept = await rows.message(app.id);
  const ids = Array.from({ length: 2_300 }, () => newId("msg_"));
  await sql`insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
            select id, 'org_a', ${app.id}, 'a', '{}', now() - interval '1 second' from unnest(${ids}::text[]) id`;
  expect(await run("payloads")).toEqual({ expunged: 2_300 });
  expect(await run("payloads")).toEqual({ expunged: 0 });
  const left = await sql<{ id: string }[]>`select id from messages where payload is not null`;
  expect(left.map(({ id }) => id)).toEqual([kept.id]);
});

test("idempotency keys go after twelve hours, eventIds after the retention", async () => {
  await sql`insert into idempotency_keys (key, body_hash, org_id, created_at)
            select gen_random_uuid(), gen_random_uuid(), 'org_a', now() - hours * interval '1 hour'
            from unnest(array[1, 11, 13, 300]) hours`;
  expect(await run("idempotency-keys")).toEqual({ deleted: 2 });
  for (const days of [1, 89, 91]) {
    await sql`insert into message_event_ids (app_id, event_id, message_id)
              values ('app_1', ${`e${days}`}, ${newId("msg_", daysAgo(days).getTime())})`;
  }
  expect(await run("event-ids")).toEqual({ deleted: 1 });
  const left = await sql<{ event_id: string }[]>`select event_id from message_event_ids order by 1`;
  expect(left.map((row) => row.event_id)).toEqual(["e1", "e89"]);
});

test("secrets that were rotated out go once they sign no more", async () => {
  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  await sql`insert into endpoint_secrets (org_id, endpoint_id, secret, expires_at)
            values ('org_a', ${endpoint.id}, 'live', null), ('org_a', ${endpoint.id}, 'old', now() + interval '1 hour'),
                   ('org_a', ${endpoint.id}, 'dead', now() - interval '1 hour')`;
  expect(await run("endpoint-secrets")).toEqual({ deleted: 1 });
  const left = await sql<{ secret: string }[]>`select secret from endpoint_secrets order by 1`;
  expect(left.map(({ secret }) => secret)).toEqual(["live", "old"]);
});

test("ended tasks go after the retention, who did what and ended sessions after a year", async () => {
  const task = (days: number, status: string) => sql`
    insert into background_tasks (id, org_id, app_id, kind, status, input)
    values (${newId("qtask_", daysAgo(days).getTime())}, 'org_a', ${`${days}`}, 'endpoint.recover', ${status}, '{}')`;
  for (const days of [1, 89, 91, 200]) await task(days, "finished");
  await task(300, "running");
  expect(await run("background-tasks")).toEqual({ deleted: 2 });
  const tasks = await sql<{ app_id: string }[]>`select app_id from background_tasks order by id`;
  expect(tasks.map((row) => row.app_id)).toEqual(["300", "89", "1"]);

  await sql`insert into audit_log (actor, action, at)
            select 'x', days::text, now() - days * interval '1 day' from unnest(array[900, 366, 364, 0]) days`;
  expect(await run("audit-log")).toEqual({ deleted: 2 });
  const log = await sql<{ action: string }[]>`select action from audit_log order by id`;
  expect(log.map(({ action }) => action)).toEqual(["364", "0"]);

  await sql`insert into session_ends (org_id, app_id, session_id, issued_until, ends_at, created_at)
            select 'org_a', 'app_1', session, now(), now(), now() - days * interval '1 day'
            from (values ('old', 366), ('', 366), ('young', 364)) t(session, days)`;
  expect(await run("session-ends")).toEqual({ deleted: 1 });
  const ends = await sql<{ session_id: string }[]>`select session_id from session_ends order by 1`;
  expect(ends.map((row) => row.session_id)).toEqual(["", "young"]);
});

test("attempts are counted up to the last hours", async () => {
  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  for (const days of [2, 1, 0])
    await rows.attempt(app.id, await rows.message(app.id), endpoint, { at: daysAgo(days) });
  const midnight = new Date(daysAgo(2).setUTCHours(0, 0, 0, 0));
  await sql`update attempts_counted set before_id = ${idBound("atmpt_", midnight)}`;
  const { hours } = await run("attempt-counts");
  expect(hours).toBeGreaterThan(24);
  const [row] =
    await sql`select sum(succeeded)::int as n from attempt_counts where endpoint_id = ${endpoint.id}`;
  expect(row?.n).toBe(2);
});

test("partitions are made eight weeks ahead and dropped behind the retention", async () => {
  await prepareHistory(database, 120);
  await run("partitions");
  await prepareHistory(database, 120);
  const [last] = await sql`select max(inhrelid::regclass::text) as name from pg_inherits
                           where inhparent = 'messages'::regclass`;
  await sql`drop table ${sql(last?.name)}`;
  const { made, dropped } = await run("partitions");
  expect(made).toBe(1);
  expect(dropped).toBeGreaterThanOrEqual(3 * 3);
  expect(await run("partitions")).toEqual({ made: 0, dropped: 0 });
  const [row] =
    await sql`select count(*)::int as count from pg_inherits where inhparent = 'messages'::regclass`;
  // 90 days and the week that they end in, this one, and eight ahead.
  expect(row?.count).toBeWithin(22, 25);
});

const counting = (fail = false) => {
  const schedule = {
    name: `test-${crypto.randomUUID()}`,
    everySeconds: 3600,
    runs: 0,
    async runOnce() {
      schedule.runs += 1;
      if (fail) throw new Error("no luck");
      return { runs: schedule.runs };
    },
  };
  return schedule;
};

test("a tick runs once over all workers, and again when it is due again", async () => {
  const schedule = counting();
  const results = await Promise.all(Array.from({ length: 8 }, () => runSchedule(schedule, parts, signal)));
  expect(results.filter((result) => result !== null)).toEqual([{ runs: 1 }]);
  await sql`update schedules set last_run_at = now() - interval '61 minutes' where name = ${schedule.name}`;
  expect(await runSchedule(schedule, parts, signal)).toEqual({ runs: 2 });
  expect(await runSchedule(schedule, parts, signal)).toBeNull();
});

test("a run that fails is due again at once", async () => {
  const schedule = counting(true);
  await expect(runSchedule(schedule, parts, signal)).rejects.toThrow("no luck");
  await expect(runSchedule(schedule, parts, signal)).rejects.toThrow("no luck");
  expect(schedule.runs).toBe(2);
});

test("the clock runs every schedule, and stops", async () => {
  await sql`truncate schedules`;
  const clock = startSchedules({ ...parts, tickMs: 50 });
  const ran = async () =>
    (await sql<{ name: string }[]>`select name from schedules order by name`).map(({ name }) => name);
  await until(async () => (await ran()).length >= schedules.length, 20_000);
  expect(await ran()).toEqual(schedules.map(({ name }) => name).toSorted());
  await clock.stop();
  await clock.stop();
  await sql`truncate schedules`;
  await Bun.sleep(200);
  expect(await ran()).toEqual([]);
});
