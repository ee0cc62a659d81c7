import { afterAll, expect, test } from "bun:test";
import { type Engine, startEngine } from "../harness/engine.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { createRandom } from "../harness/random.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

test("with three workers and random failures, one is under way at a time and all arrive in the order of acceptance", async () => {
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const env = { RETRY_SCHEDULE: Array(40).fill("0.01").join(",") };
  const engines: Engine[] = [];
  for (let n = 0; n < 3; n += 1) {
    const engine = await startEngine({ database, env });
    stops.push(() => engine.stop());
    engines.push(engine);
  }
  const [engine] = engines as [Engine];
  const to = startReceiver();
  stops.push(() => to.stop());
  const random = createRandom(7);
  let [underWay, mostUnderWay] = [0, 0];
  const arrived: string[] = [];
  to.answer = async ({ id }) => {
    underWay += 1;
    mostUnderWay = Math.max(mostUnderWay, underWay);
    await Bun.sleep(random.between(0, 3));
    underWay -= 1;
    if (random.next() < 0.1) return { status: 500 };
    arrived.push(id);
    return { status: 204 };
  };
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url, { fifo: true });
  const accepted: string[] = [];
  for (let n = 0; n < 150; n += 1) {
    accepted.push(...((await engines[n % 3]?.send(app)) ?? []));
  }
  await until(
    async () => (await engine.queued()).length === 0,
    40_000,
    () => `${arrived.length} arrived`,
  );
  expect(mostUnderWay).toBe(1);
  expect(arrived).toEqual(accepted);
}, 60_000);

test("one that fails holds up those behind it until its retries are used up, and nobody else", async () => {
  const engine = await startEngine({ env: { RETRY_SCHEDULE: "0.2,0.2" } });
  stops.push(() => engine.stop());
  const [line, other] = [startReceiver(), startReceiver()];
  stops.push(
    () => line.stop(),
    () => other.stop(),
  );
  const app = await engine.addApplication();
  await engine.addEndpoint(app, line.url, { fifo: true });
  await engine.addEndpoint(app, other.url);
  const accepted: string[] = [];
  let head: string | null = null;
  line.answer = ({ id }) => {
    head ??= id;
    return { status: id === head ? 500 : 204 };
  };
  for (let n = 0; n < 5; n += 1) accepted.push(...(await engine.send(app)));

  await other.waitFor(5);
  await until(async () => (await engine.queued()).length === 0);
  const [first = "", ...behind] = accepted;
  expect(line.received.map(({ id }) => id)).toEqual([first, first, first, ...behind]);
}, 30_000);

test("throttleRate holds for it too, its own and its application's, over two workers", async () => {
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const engines = [await startEngine({ database }), await startEngine({ database })];
  for (const engine of engines) stops.push(() => engine.stop());
  const [engine] = engines as [Engine];
  const [own, shared] = [startReceiver(), startReceiver()];
  stops.push(
    () => own.stop(),
    () => shared.stop(),
  );
  const [plain, limited] = [
    await engine.addApplication(),
    await engine.addApplication({ throttle_rate: 20 }),
  ];
  await engine.addEndpoint(plain, own.url, { fifo: true, throttle_rate: 20 });
  for (let n = 0; n < 2; n += 1) await engine.addEndpoint(limited, shared.url, { fifo: true });
  await Promise.all(engines.map((one) => Promise.all([one.send(plain, 10), one.send(limited, 5)])));
  await Promise.all([own.waitFor(20, 20_000), shared.waitFor(20, 20_000)]);
  for (const { received } of [own, shared]) {
    const lastedMs = (received.at(-1)?.at ?? 0) - (received[0]?.at ?? 0);
    // 19 steps of 50 ms, and one that the first may have been late by.
    expect(lastedMs).toBeGreaterThanOrEqual(18 * 50);
  }
}, 60_000);
