import { afterAll, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Sql } from "postgres";
import { connect, engineSettings } from "../../src/database.ts";
import { idBound, idTime, newId } from "../../src/lib/ids.ts";
import type { Mark } from "../../src/repos/attempt-counts.ts";
import { createRepos, type Repos } from "../../src/repos/index.ts";
import { createOutcomesRepo, type OutcomesRepo } from "../../src/repos/outcomes.ts";
import { countAttempts, recountFrom, sumAttempts } from "../../src/services/attempt-counts.ts";
import { dropOldPartitions, ensurePartitions } from "../../src/services/partitions.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";
import { createRandom } from "../harness/random.ts";
import { until } from "../harness/receiver.ts";
import { createRows } from "../harness/rows.ts";

setDefaultTimeout(60_000);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** A Wednesday: five days of it reach into the next week. */
const start = Date.parse("2031-03-05T00:00:00Z");
const statuses = [0, 0, 0, 2, 4] as const;

let database: TestDatabase;
let sql: Sql;
let repos: Repos;
let engine: Sql;
let outcomes: OutcomesRepo;
let appId: string;
let endpoints: string[];
const clients: Sql[] = [];
const open = (max: number) => {
  const client = connect(database.url, { max, prepare: true, applicationName: "posthorn test" });
  clients.push(client);
  return client;
};

beforeAll(async () => {
  database = await createTestDatabase();
  sql = database.sql;
  repos = createRepos(open(4));
  engine = connect(database.url, {
    max: 2,
    prepare: true,
    applicationName: "engine",
    settings: engineSettings,
  });
  clients.push(engine);
  outcomes = createOutcomesRepo(engine);
  for (const { name } of await repos.partitions.list()) await repos.partitions.drop(name);
  await ensurePartitions(repos, { from: new Date(start), to: new Date(start + 14 * dayMs) });
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.end({ timeout: 1 })));
  await database.drop();
});

/** Nothing is counted, and there is nothing to count. */
beforeEach(async () => {
  await sql`truncate attempts, attempt_counts`;
  await sql`update attempts_counted set before_id = '', rewinds = 0`;
  const rows = createRows(sql, "org_a");
  appId = (await rows.application()).id;
  endpoints = [];
  for (let n = 0; n < 3; n += 1) endpoints.push((await rows.endpoint(appId)).id);
});

type Made = { endpointId: string; at: number; status: number };

const insert = (made: Made[]) => sql`
  insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, trigger, attempt, status,
                        response_status_code, duration_ms, url)
  select id, 'org_a', ${appId}, 'msg_1', endpoint_id, 'a', 0, 1, status, 200, 1, 'https://receiver.example/'
  from unnest(${made.map(({ at }) => newId("atmpt_", at))}::text[], ${made.map(({ endpointId }) => endpointId)}::text[],
              ${made.map(({ status }) => status)}::int[]) t(id, endpoint_id, status)`;

const outcomeOf = ({ endpointId, at, status }: Made) => ({
  ...{
    attemptId: newId("atmpt_", at),
    orgId: "org_a",
    appId,
    messageId: "msg_1",
    endpointId,
    eventType: "a",
  },
  ...{ channels: null, tags: null, trigger: 0, attempt: 1, lease: crypto.randomUUID(), probe: false },
  ...{ succeeded: status === 0, responseStatusCode: 200, response: "", durationMs: 1, retryInMs: null },
  ...{ url: "https://receiver.example/", sentHeaders: null, responseHeaders: null },
});
/** As the recorder does it, when it is late for that hour. */
const recordLate = (made: Made, repo = outcomes) => repo.record([outcomeOf(made)], hourId(made.at));

const hourId = (at: number) => idBound("atmpt_", Math.floor(at / hourMs) * hourMs);
const countAt = (at: number, by = repos, signal = new AbortController().signal) =>
  countAttempts({ repos: by, now: new Date(at), retentionDays: 90, signal });
const counted = (endpointId: string, from = start, to = start + 10 * dayMs) =>
  sumAttempts(repos, endpointId, from, to);
const stored = () =>
  sql`select endpoint_id, id, succeeded, failed, canceled from attempt_counts order by 1, 2`;

/** The same by looking at each. */
async function plainCounts() {
  const rows = await sql<{ id: string; endpoint_id: string; status: number }[]>`
    select id, endpoint_id, status from attempts`;
  return (endpointId: string, from: number, to: number) => {
    const [fromId, toId] = [idBound("atmpt_", from), idBound("atmpt_", to)];
    const own = rows.filter((row) => row.endpoint_id === endpointId && row.id >= fromId && row.id < toId);
    const ended = (status: number) => own.filter((row) => row.status === status).length;
    return { succeeded: ended(0), failed: ended(2), canceled: ended(4) };
  };
}

/** An attempt an hour, in the middle of each. */
const hourly = (hours: number): Made[] =>
  Array.from({ length: hours }, (_, n) => ({
    endpointId: endpoints[0] as string,
    at: start + n * hourMs + 30 * minuteMs,
    status: 0,
  }));

async function waitsForALock(): Promise<boolean> {
  const rows = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return rows.length > 0;
}

test("the counts are those of the attempts: any window, whatever is counted, whatever came late", async () => {
  const random = createRandom(20_310_305);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T;
  const one = (at: number): Made => ({ endpointId: pick(endpoints), at, status: pick(statuses) });
  /** To the millisecond, and often on an hour's edge. */
  const time = (from: number, to: number) => {
    const at = Math.floor(random.between(from, to));
    return pick([at, at, at - (at % hourMs), at - (at % hourMs) - 1]);
  };
  await insert(Array.from({ length: 2_000 }, () => one(time(start, start + 5 * dayMs))));
  let clock = start;
  let hours = 0;
  for (let round = 0; round < 30; round += 1) {
    clock += random.between(0, 8 * hourMs);
    const step = random.next();
    if (step < 0.4) hours += await countAt(clock);
    else if (step < 0.7) await recordLate(one(time(start, clock)));
    else await insert([one(clock - random.between(0, 14 * minuteMs))]);
    const plainly = await plainCounts();
    for (let look = 0; look < 6; look += 1) {
      const endpointId = pick(endpoints);
      const from = time(start - hourMs, start + 6 * dayMs);
      const to = time(from + 4, pick([from + hourMs, start + 6 * dayMs + 2 * hourMs]));
      if (to < from) continue;
      const window = [round, endpointId, from, to];
      expect([window, await counted(endpointId, from, to)]).toEqual([window, plainly(endpointId, from, to)]);
    }
  }
  // Some were counted twice: what came late moved the mark back.
  expect((await repos.attemptCounts.mark()).rewinds).toBeGreaterThan(0);
  expect(hours).toBeGreaterThan((clock - (start - 2 * dayMs)) / hourMs);
});

test("hours that are counted are not looked at again, and only those with attempts have a row", async () => {
  await insert([...hourly(2), ...hourly(50).slice(48)]);
  await countAt(start + 3 * dayMs);
  expect(await stored()).toHaveLength(4);
  await sql`update attempt_counts set failed = 1000 where id = ${hourId(start + hourMs)}`;
  expect(await counted(endpoints[0] as string)).toEqual({ succeeded: 4, failed: 1000, canceled: 0 });
  expect(await counted(endpoints[0] as string, start + hourMs, start + 2 * hourMs)).toMatchObject({
    failed: 1000,
  });
  // The hour is an edge of this one.
  expect(await counted(endpoints[0] as string, start + hourMs + 4, start + 5 * hourMs)).toMatchObject({
    failed: 0,
  });
});

test("an hour is counted half an hour after its end, a week of them at most at a time", async () => {
  const at = (ms: number) => countAt(start + ms);
  const already = await at(10 * hourMs + 29 * minuteMs);
  expect(await repos.attemptCounts.mark()).toMatchObject({ beforeId: hourId(start + 9 * hourMs) });
  // The week begins on Monday.
  expect(already).toBe(2 * 24 + 9);
  expect(await at(10 * hourMs + 30 * minuteMs)).toBe(1);
  expect(await at(10 * hourMs + 30 * minuteMs)).toBe(0);
  expect(await at(14 * dayMs)).toBe(7 * 24);
});

test("what is past the retention is not counted, though it is not dropped yet", async () => {
  const { signal } = new AbortController();
  const now = new Date(start + 8 * dayMs + 30 * minuteMs);
  expect(await countAttempts({ repos, now, retentionDays: 2, signal })).toBe(3 * 24);
});

test("a pass that is cut short leaves the mark; counted again, nothing is written that is there already", async () => {
  await insert(hourly(20));
  expect(await countAt(start + dayMs, repos, AbortSignal.abort())).toBe(0);
  expect(await repos.attemptCounts.mark()).toEqual({ beforeId: "", rewinds: 0 });
  expect(await stored()).toHaveLength(0);
  // The process died before it moved the mark.
  const mark = await repos.attemptCounts.mark();
  await repos.attemptCounts.countHours({ ...batchOf(20), mark });
  const written = () => sql`select xmin::text, ctid::text, t::text from attempt_counts t order by 3`;
  const before = await written();
  expect(before).toHaveLength(20);
  await countAt(start + dayMs);
  expect([...(await written())]).toEqual([...before]);
  expect(await counted(endpoints[0] as string)).toEqual({ succeeded: 20, failed: 0, canceled: 0 });
});

const batchOf = (hours: number) => ({
  hours: Array.from({ length: hours }, (_, n) => idBound("atmpt_", start + n * hourMs)),
  toId: idBound("atmpt_", start + hours * hourMs),
  afterId: "",
  limit: 1000,
});

test("several workers count at once, and each hour once", async () => {
  await insert(hourly(90));
  const workers = Array.from({ length: 4 }, () => createRepos(open(1)));
  const at = start + 4 * dayMs;
  let hours = 0;
  for (let round = 0; round < 4; round += 1) {
    const each = await Promise.all(workers.map((worker) => countAt(at, worker)));
    hours += each.reduce((sum, n) => sum + n, 0);
  }
  expect(hours).toBe(6 * 24 - 1);
  expect(await counted(endpoints[0] as string)).toEqual({ succeeded: 90, failed: 0, canceled: 0 });
  expect(await stored()).toHaveLength(90);
});

test("who counts by a mark that was moved meanwhile writes nothing, and does not move it", async () => {
  const late: Made = { endpointId: endpoints[0] as string, at: start + hourMs, status: 2 };
  await insert(hourly(5));
  const mark = await repos.attemptCounts.mark();
  await recordLate(late);
  await countAt(start + dayMs);
  const before = await stored();
  await sql`update attempts set status = 4 where status = 2`;
  expect(await repos.attemptCounts.countHours({ ...batchOf(5), mark })).toBeNull();
  expect(await repos.attemptCounts.moveMark(mark, hourId(start + 5 * hourMs))).toBe(false);
  expect([...(await stored())]).toEqual([...before]);
});

test("an attempt that comes late waits for the batch that is being written, and the count is not believed", async () => {
  const late: Made = { endpointId: endpoints[0] as string, at: start + hourMs, status: 2 };
  await insert(hourly(5));
  const mark = await repos.attemptCounts.mark();
  let recorded: Promise<unknown> = Promise.resolve();
  await repos.tx(async (tx) => {
    expect(await tx.attemptCounts.countHours({ ...batchOf(5), mark })).not.toBeNull();
    recorded = recordLate(late);
    await until(waitsForALock);
  });
  await recorded;
  expect(await repos.attemptCounts.moveMark(mark, hourId(start + 5 * hourMs))).toBe(false);
  await countAt(start + dayMs);
  expect(await counted(late.endpointId)).toEqual({ succeeded: 5, failed: 1, canceled: 0 });
});

test("a count that meets an attempt on its way waits for it, and begins anew", async () => {
  const late: Made = { endpointId: endpoints[0] as string, at: start + hourMs, status: 2 };
  await insert(hourly(5));
  const mark = await repos.attemptCounts.mark();
  let counting: Promise<string | null> = Promise.resolve("none");
  await engine.begin(async (tx) => {
    await recordLate(late, createOutcomesRepo(tx as unknown as Sql));
    counting = repos.attemptCounts.countHours({ ...batchOf(5), mark });
    await until(waitsForALock);
  });
  expect(await counting).toBeNull();
  expect(await stored()).toHaveLength(0);
  await countAt(start + dayMs);
  expect(await counted(late.endpointId)).toEqual({ succeeded: 5, failed: 1, canceled: 0 });
});

test("attempts are late a quarter of an hour after they were made, and their hour is counted anew", () => {
  const ago = (minutes: number) => ({ attemptId: newId("atmpt_", Date.now() - minutes * minuteMs) });
  expect(recountFrom([])).toBeNull();
  expect(recountFrom([ago(0), ago(14), ago(1)])).toBeNull();
  expect(recountFrom([ago(16)])).not.toBeNull();
  const old = ago(200);
  expect(recountFrom([ago(0), old, ago(16)])).toBe(hourId(idTime(old.attemptId).getTime()));
});

test("the mark goes back as far as the latest comer, and never on by one", async () => {
  await countAt(start + dayMs);
  const back = (hours: number) =>
    recordLate({ endpointId: endpoints[0] as string, at: start + hours * hourMs + 1, status: 0 });
  const marks: Mark[] = [];
  for (const hours of [40, 5, 8]) {
    await back(hours);
    marks.push(await repos.attemptCounts.mark());
  }
  expect(marks).toEqual([
    { beforeId: hourId(start + 23 * hourMs), rewinds: 1 },
    { beforeId: hourId(start + 5 * hourMs), rewinds: 2 },
    { beforeId: hourId(start + 5 * hourMs), rewinds: 3 },
  ]);
});

test("who adds up reads the mark again when it was moved back meanwhile", async () => {
  const [endpointId] = endpoints as [string];
  await insert(hourly(5));
  await countAt(start + dayMs);
  let looks = 0;
  const attemptCounts = {
    ...repos.attemptCounts,
    async mark() {
      const mark = await repos.attemptCounts.mark();
      looks += 1;
      if (looks === 1) await recordLate({ endpointId, at: start + hourMs, status: 2 });
      return mark;
    },
  };
  const sum = await sumAttempts({ attemptCounts }, endpointId, start, start + dayMs);
  expect([looks, sum]).toEqual([2, { succeeded: 5, failed: 1, canceled: 0 }]);
});

test("endpoints that are deleted are counted too, whatever their org", async () => {
  const [deleted, foreign] = endpoints as [string, string];
  await insert([deleted, foreign].map((endpointId) => ({ endpointId, at: start, status: 4 })));
  await sql`update endpoints set deleted_at = now() where id = ${deleted}`;
  await sql`update endpoints set org_id = 'org_b' where id = ${foreign}`;
  await countAt(start + dayMs);
  expect(await sql`select endpoint_id, org_id, canceled from attempt_counts order by 1`).toMatchObject([
    { endpoint_id: deleted, org_id: "org_a", canceled: 1 },
    { endpoint_id: foreign, org_id: "org_b", canceled: 1 },
  ]);
});

test("an endpoint that is erased while it is counted leaves nothing behind", async () => {
  const [endpointId] = endpoints as [string];
  await insert(hourly(5));
  const mark = await repos.attemptCounts.mark();
  let erased: Promise<unknown> = Promise.resolve();
  await repos.tx(async (tx) => {
    await tx.attemptCounts.countHours({ ...batchOf(5), mark });
    erased = repos.tx((other) => other.erasure.deleteEndpoint("org_a", endpointId));
    await until(waitsForALock);
  });
  await erased;
  expect(await stored()).toHaveLength(0);
  await repos.attemptCounts.countHours({ ...batchOf(5), mark });
  expect(await stored()).toHaveLength(0);
});

test("a database that is older than the counts gets their partitions, and both are dropped together", async () => {
  await insert(hourly(24 * 7));
  const partitions = async (table: string) => {
    const names = (await repos.partitions.list()).map(({ name }) => name);
    return names.filter((name) => name.replace(/_\d+$/, "") === table).map((name) => name.slice(-8));
  };
  for (const day of await partitions("attempt_counts")) await repos.partitions.drop(`attempt_counts_${day}`);
  const now = start + 8 * dayMs;
  while ((await countAt(now)) > 0) {}
  expect(await partitions("attempt_counts")).toEqual(["20310303", "20310310"]);
  expect(await counted(endpoints[0] as string)).toEqual({ succeeded: 168, failed: 0, canceled: 0 });

  await dropOldPartitions(repos, { days: 1, now: new Date(now) });
  expect(await partitions("attempt_counts")).toEqual(["20310310"]);
  expect(await partitions("attempts")).toEqual(["20310310", "20310317"]);
  // The mark is behind what there is.
  await sql`update attempts_counted set before_id = ''`;
  expect(await countAt(now)).toBe(3 * 24 - 1);
  await ensurePartitions(repos, { from: new Date(start), to: new Date(start + 14 * dayMs) });
});
