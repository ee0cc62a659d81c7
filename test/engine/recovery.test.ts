import { afterAll, expect, test } from "bun:test";
import pino from "pino";
import { connect, engineSettings } from "../../src/database.ts";
import { idBound, newId } from "../../src/lib/ids.ts";
import { createDeliveriesRepo } from "../../src/repos/deliveries.ts";
import { createOutcomesRepo, type Outcome } from "../../src/repos/outcomes.ts";
import { createWorkersRepo } from "../../src/repos/workers.ts";
import { createRecorder } from "../../src/services/recorder.ts";
import { beatOnce } from "../../src/tasks/heartbeat.ts";
import { createLeases, newWorkerId } from "../../src/tasks/leases.ts";
import { type Engine, startEngine } from "../harness/engine.ts";
import { dropPartitions } from "../harness/history.ts";
import { silent } from "../harness/postgres.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** An engine without a worker, and the repos of a worker that the test plays. */
async function startStage(count: number) {
  const engine = await startEngine({ worker: false });
  stops.push(() => engine.stop());
  const sql = connect(engine.database.url, {
    max: 4,
    prepare: true,
    applicationName: "stage",
    settings: engineSettings,
  });
  stops.push(() => sql.end({ timeout: 1 }));
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, "http://127.0.0.1:9/");
  await engine.send(app, count);
  const deliveries = createDeliveriesRepo(sql);
  const claim = (lease: string, deliveriesMax = 100, leaseSeconds = 60) =>
    deliveries.claim({
      lease,
      leaseSeconds,
      after: "",
      saturated: [],
      deliveriesMax,
      perEndpointMax: deliveriesMax,
      endpointsMax: 10,
    });
  return {
    engine,
    sql,
    app,
    endpoint,
    deliveries,
    claim,
    outcomes: createOutcomesRepo(sql),
    workers: createWorkersRepo(sql),
  };
}

const outcomeOf = (
  delivery: { messageId: string; endpointId: string; appId: string },
  lease: string,
): Outcome => ({
  ...delivery,
  attemptId: newId("atmpt_"),
  orgId: "org_engine",
  eventType: "test.event",
  channels: null,
  tags: null,
  trigger: 0,
  attempt: 1,
  lease,
  probe: false,
  succeeded: true,
  responseStatusCode: 200,
  response: "",
  durationMs: 1,
  url: "http://127.0.0.1:9/",
  retryInMs: null,
  sentHeaders: null,
  responseHeaders: null,
});

test("two workers that claim at once never hold the same delivery", async () => {
  const { claim } = await startStage(200);
  const [a, b] = [createLeases(newWorkerId()), createLeases(newWorkerId())];
  const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => claim((n % 2 ? a : b).next(), 10)));
  const taken = claims.flatMap((one) => one.deliveries.map((delivery) => delivery.messageId));
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.length).toBeGreaterThan(20);
});

test("a late answer is fenced off: the history grows, the delivery stays with its new holder", async () => {
  const { engine, claim, outcomes, deliveries } = await startStage(1);
  const [late, current] = [createLeases(newWorkerId()).next(), createLeases(newWorkerId()).next()];
  const [delivery] = (await claim(late, 1, 0)).deliveries;
  await until(async () => (await claim(current)).deliveries.length === 1);
  await outcomes.record([outcomeOf(delivery as NonNullable<typeof delivery>, late)], null);
  expect(await engine.queued()).toMatchObject([{ lease: current, attempt: 0 }]);
  expect(await engine.attempts()).toHaveLength(1);
  await deliveries.release([{ ...(delivery as NonNullable<typeof delivery>), lease: late }], 0);
  expect(await engine.queued()).toMatchObject([{ lease: current }]);
  await outcomes.record([outcomeOf(delivery as NonNullable<typeof delivery>, current)], null);
  expect(await engine.queued()).toEqual([]);
});

test("what a dead worker held is freed by another's heartbeat, and only that", async () => {
  const { engine, sql, claim, deliveries, workers } = await startStage(20);
  const [dead, alive] = [newWorkerId(), newWorkerId()];
  await workers.beat(dead, 10);
  await workers.beat(alive, 10);
  await claim(createLeases(dead).next(), 8);
  await claim(createLeases(alive).next(), 5);
  const options = { workerId: alive, workers, deliveries, log: pino({ level: "silent" }), onFreed: () => {} };
  expect(await beatOnce(options)).toBe(0);
  await sql`update workers set seen_at = now() - interval '11 s' where id = ${dead}`;
  expect(await beatOnce(options)).toBe(8);
  expect((await engine.queued()).filter((row) => row.lease !== null)).toHaveLength(5);
});

test("a message that meets no partition makes its own", async () => {
  const { engine, sql, app } = await startStage(0);
  const [row] = await sql`select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'messages'::regclass and pg_get_expr(c.relpartbound, c.oid) is not null order by 1`;
  expect(row).toBeDefined();
  await dropPartitions(engine.database, "messages");
  await engine.send(app);
  expect(await sql`select count(*)::int as count from messages`).toMatchObject([{ count: 1 }]);
});

test("a delivery that can't be started, its secret being unreadable, waits a while, costs no attempt and stops no other", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const [broken, good] = [await engine.addApplication(), await engine.addApplication()];
  const endpoint = await engine.addEndpoint(broken, to.url);
  await engine.addEndpoint(good, to.url);
  await engine.database
    .sql`update endpoint_secrets set secret = 'unreadable' where endpoint_id = ${endpoint}`;
  await engine.send(broken);
  await until(async () => (await engine.queued()).some((row) => row.lease === null));
  const [left] = await engine.queued();
  expect(left).toMatchObject({ endpoint_id: endpoint, attempt: 0 });
  expect((left?.due_at.getTime() ?? 0) - Date.now()).toBeGreaterThan(5_000);
  await engine.send(good);
  await to.waitFor(1);
  await until(async () => (await engine.attempts()).length === 1);
});

test("a worker outlives its connections: cut in the middle, everything still arrives and is recorded", async () => {
  const engine: Engine = await startEngine({ env: { RETRY_SCHEDULE: "0.2,0.2" } });
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  to.answer = () => Bun.sleep(5).then(() => ({ status: 204 }));
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url);
  const accepted: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const sends = await Promise.allSettled(Array.from({ length: 100 }, () => engine.send(app)));
    accepted.push(...sends.flatMap((one) => (one.status === "fulfilled" ? one.value : [])));
    await engine.database.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'engine' and pid <> pg_backend_pid()`;
  }
  expect(accepted.length).toBeGreaterThan(100);
  let left: unknown[] = [];
  await until(
    async () => {
      left = await engine.queued();
      return left.length === 0;
    },
    20_000,
    () => JSON.stringify({ left: left.slice(0, 3), count: left.length, worker: engine.worker?.stats() }),
  );
  const arrived = new Set(to.received.map((one) => one.id));
  expect(accepted.filter((id) => !arrived.has(id))).toEqual([]);
}, 60_000);

test("an outcome that is late for its hour's count has the hour counted anew, any other leaves the mark", async () => {
  const { engine, claim, outcomes } = await startStage(2);
  const lease = createLeases(newWorkerId()).next();
  const [first, second] = (await claim(lease)).deliveries.map((delivery) => outcomeOf(delivery, lease));
  const recorder = createRecorder({
    repo: outcomes,
    log: silent,
    stopping: new AbortController().signal,
    ensurePartitions: async () => {},
    onOpen: () => {},
  });
  const hourMs = 3_600_000;
  const now = Date.now();
  const hourId = (hoursAgo: number) => idBound("atmpt_", Math.floor(now / hourMs - hoursAgo) * hourMs);
  const mark = async () => (await engine.database.sql`select before_id, rewinds from attempts_counted`)[0];
  await engine.database.sql`update attempts_counted set before_id = ${hourId(1)}`;

  expect(await recorder.record(first as Outcome)).toBe(true);
  expect(await mark()).toEqual({ before_id: hourId(1), rewinds: 0 });
  const attemptId = newId("atmpt_", now - 3 * hourMs);
  expect(await recorder.record({ ...(second as Outcome), attemptId })).toBe(true);
  expect(await mark()).toEqual({ before_id: hourId(3), rewinds: 1 });
  expect(await engine.queued()).toEqual([]);
});

test("an outcome whose commit was not heard of is written once, and is no failure", async () => {
  const { engine, claim, outcomes } = await startStage(3);
  const lease = createLeases(newWorkerId()).next();
  const claimed = (await claim(lease)).deliveries;
  const lines: string[] = [];
  let cuts = 1;
  const recorder = createRecorder({
    repo: {
      ...outcomes,
      async record(group, recountFrom) {
        const open = await outcomes.record(group, recountFrom);
        if (cuts-- > 0) throw Object.assign(new Error("cut"), { code: "CONNECTION_CLOSED" });
        return open;
      },
    },
    log: pino({ level: "error" }, { write: (line) => void lines.push(line) }),
    stopping: new AbortController().signal,
    ensurePartitions: async () => {},
    onOpen: () => {},
  });
  await Promise.all(claimed.map((delivery) => recorder.record(outcomeOf(delivery, lease))));
  expect(lines).toEqual([]);
  expect(await engine.attempts()).toHaveLength(3);
  expect(await engine.queued()).toEqual([]);
});
