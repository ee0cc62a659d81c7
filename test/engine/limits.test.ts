import { afterEach, expect, test } from "bun:test";
import { createThrottlesRepo } from "../../src/repos/throttles.ts";
import { type Engine, startEngine } from "../harness/engine.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
}, 30_000);

const receiver = (): Receiver => {
  const one = startReceiver();
  stops.push(() => one.stop());
  return one;
};
const start = async (options: Parameters<typeof startEngine>[0]): Promise<Engine> => {
  const engine = await startEngine(options);
  stops.push(() => engine.stop());
  return engine;
};

test("an endpoint that hangs holds its own places and nobody else's", async () => {
  const engine = await start({ env: { ENDPOINT_CONCURRENCY: "4", DELIVERY_CONCURRENCY: "8" } });
  const [hanging, good] = [receiver(), receiver()];
  hanging.answer = () => new Promise(() => {});
  const [appA, appB] = [await engine.addApplication(), await engine.addApplication()];
  await engine.addEndpoint(appA, hanging.url);
  await engine.addEndpoint(appB, good.url);
  await engine.send(appA, 300);
  await engine.send(appB, 300);
  await good.waitFor(300);
  expect(hanging.received.length).toBeLessThanOrEqual(4);
  await until(async () => (await engine.attempts()).length === 300);
});

test("a backlog in the queue for one endpoint leaves the claims of another as they were", async () => {
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const accepting = await start({ database, worker: false });
  const [slow, good] = [receiver(), receiver()];
  slow.answer = () => new Promise(() => {});
  const [appA, appB] = [await accepting.addApplication(), await accepting.addApplication()];
  const slowEndpoint = await accepting.addEndpoint(appA, slow.url);
  await accepting.addEndpoint(appB, good.url);
  await accepting.send(appA, 3_000);
  await accepting.send(appB, 100);
  await start({ database, env: { ENDPOINT_CONCURRENCY: "4", DELIVERY_CONCURRENCY: "16" } });
  await good.waitFor(100);
  const leased = (await accepting.queued()).filter(
    (row) => row.endpoint_id === slowEndpoint && row.lease !== null,
  );
  // No worker takes more than it can start soon: four in flight, and sixteen for each of them ready.
  expect(leased.length).toBeLessThanOrEqual(4 + 2 * 64);
});

test("throttleRate holds over all workers together, for an endpoint and for an application", async () => {
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const engines = [await start({ database }), await start({ database }), await start({ database })];
  const [engine] = engines as [Engine];
  const [byEndpoint, byApplication] = [receiver(), receiver()];
  const plain = await engine.addApplication();
  const limited = await engine.addApplication({ throttle_rate: 10 });
  await engine.addEndpoint(plain, byEndpoint.url, { throttle_rate: 10 });
  await engine.addEndpoint(limited, byApplication.url);
  const stalls = watchStalls();
  await Promise.all(engines.map((one) => Promise.all([one.send(plain, 12), one.send(limited, 12)])));
  await Promise.all([byEndpoint.waitFor(30, 20_000), byApplication.waitFor(30, 20_000)]);
  // Workers and receivers share this process: a stall of it makes a start late, and its receipt again.
  const lateMs = 2 * stalls.stop();
  for (const { received } of [byEndpoint, byApplication]) {
    const times = received.map((one) => one.at);
    const busiest = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + 1_100).length),
    );
    expect(busiest).toBeLessThanOrEqual(1 + Math.ceil((1_100 + lateMs) / 100));
  }
}, 60_000);

test("endpoints share their application's throttleRate over two workers: none starves, and slow ones slow no other", async () => {
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const engines = [await start({ database }), await start({ database })];
  const [engine] = engines as [Engine];
  const [one, other, slow] = [receiver(), receiver(), receiver()];
  const slowCount = 5;
  const app = await engine.addApplication({ throttle_rate: 40 });
  await engine.addEndpoint(app, one.url);
  await engine.addEndpoint(app, other.url);
  for (let n = 0; n < slowCount; n += 1) await engine.addEndpoint(app, slow.url, { throttle_rate: 1 });
  const stalls = watchStalls();
  await Promise.all(engines.map((each) => each.send(app, 30)));
  await until(() => Math.max(one.received.length, other.received.length) === 60, 20_000);
  // Whose turn it is, test/unit/throttled.test.ts looks at: how much that makes up depends on how busy the machine is.
  expect(Math.min(one.received.length, other.received.length)).toBeGreaterThan(0);
  expect(slow.received.length).toBeGreaterThan(0);
  await Promise.all([one.waitFor(60, 20_000), other.waitFor(60, 20_000)]);
  const lateMs = 2 * stalls.stop();
  const times = [one, other, slow].flatMap(({ received }) => received.map(({ at }) => at));
  const within = times.map((from) => times.filter((at) => at >= from && at < from + 1_100).length);
  // Of the slow ones, each may have one that is held for longer than the moment that it has used up.
  expect(Math.max(...within)).toBeLessThanOrEqual(1 + Math.ceil((1_100 + lateMs) / 25) + slowCount);
}, 60_000);

test("of its application's moments an endpoint with a lower throttleRate uses up one a delivery", async () => {
  const engine = await start({ worker: false });
  const { sql } = engine.database;
  const app = await engine.addApplication({ throttle_rate: 40 });
  const slow = await engine.addEndpoint(app, "http://127.0.0.1:1/", { throttle_rate: 1 });
  await engine.send(app, 2);
  const throttles = createThrottlesRepo(sql);
  // The first to ask makes the rows.
  expect(await throttles.reserve(slow)).toBeNull();
  const hold = { lease: crypto.randomUUID(), leaseSeconds: 60, aheadSeconds: 1, deliveriesMax: 10 };
  const claimed = await throttles.claim(slow, { ...hold, deliveriesMax: 1 });
  expect(claimed).toMatchObject([{ startsInMs: expect.any(Number) }]);
  const next = async (id: string) =>
    Number(
      (await sql`select extract(epoch from next_at) * 1000 as ms from throttles where id = ${id}`)[0]?.ms,
    );
  expect(Math.round((await next(slow)) - (await next(app)))).toBe(1_000 - 25);
  const before = await next(app);
  expect(await throttles.reserve(slow)).toBeGreaterThanOrEqual(0);
  expect((await next(slow)) - (await next(app))).toBeGreaterThan(0);
  expect(await next(app)).toBeGreaterThan(before);
});

/** `stop` returns by how many milliseconds this process was ever late. */
function watchStalls(): { stop(): number } {
  const everyMs = 5;
  let longestMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last - everyMs);
    last = now;
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return longestMs;
    },
  };
}

test("the breaker opens on failures in a row, probes with one delivery, and closes on success", async () => {
  const engine = await start({
    env: { RETRY_SCHEDULE: "0.05,0.05,0.05,0.05,0.05,0.05", ENDPOINT_CONCURRENCY: "2" },
  });
  const to = receiver();
  let working = false;
  to.answer = () => Bun.sleep(20).then(() => ({ status: working ? 204 : 500 }));
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, to.url);
  await engine.send(app, 30);
  const health = async () =>
    (await engine.database.sql`select * from endpoint_health where endpoint_id = ${endpoint}`)[0];
  await until(async () => ((await health())?.open_until ?? null) !== null);
  const whenOpened = to.received.length;
  expect(whenOpened).toBeLessThan(20);
  // New messages wait rather than hammer.
  await engine.send(app, 20);
  await until(async () => (await health())?.trips >= 1);
  expect(to.received.length).toBeLessThanOrEqual(whenOpened + 4);
  working = true;
  await until(async () => (await engine.queued()).length === 0, 15_000);
  expect(await health()).toBeUndefined();
  const delivered = new Set(
    (await engine.attempts()).filter((one) => one.status === 0).map((one) => one.message_id),
  );
  expect(delivered.size).toBe(50);
}, 60_000);

test("more than can be committed waits up to a bound, past it is refused at once, and what waited is committed", async () => {
  const engine = await start({ worker: false });
  const app = await engine.addApplication();
  await engine.send(app);
  const unlock = Promise.withResolvers<void>();
  const locked = engine.database.sql.begin(async (tx) => {
    await tx`lock table messages in access exclusive mode`;
    await unlock.promise;
  });
  await Bun.sleep(100);
  const startedAt = performance.now();
  const refusedAfterMs: number[] = [];
  const sends = Array.from({ length: 10_100 }, () =>
    engine.send(app).catch((error: { code?: string }) => {
      refusedAfterMs.push(performance.now() - startedAt);
      return error.code;
    }),
  );
  await until(() => refusedAfterMs.length === 100, 5_000);
  expect(Math.max(...refusedAfterMs)).toBeLessThan(3_000);
  unlock.resolve();
  await locked;
  const answers = await Promise.all(sends);
  expect(answers.filter((answer) => answer === "overloaded")).toHaveLength(100);
  expect(await engine.database.sql`select count(*)::int as count from messages`).toMatchObject([
    { count: 10_001 },
  ]);
}, 60_000);
