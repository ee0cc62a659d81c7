import { afterEach, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { dueChannel } from "../../src/repos/queue.ts";
import { type Engine, startEngine } from "../harness/engine.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { createRandom } from "../harness/random.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
}, 30_000);

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

test("lines of several batches each, one beside another: none waits for a lease to end", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const app = await engine.addApplication();
  const random = createRandom(11);
  const lines = Array.from({ length: 12 }, startReceiver);
  for (const line of lines) {
    stops.push(() => line.stop());
    line.answer = () => Bun.sleep(random.between(0, 3)).then(() => ({ status: 204 }));
    await engine.addEndpoint(app, line.url, { fifo: true });
  }
  const accepted: string[] = [];
  for (let n = 0; n < 120; n += 1) accepted.push(...(await engine.send(app)));
  await until(
    async () => (await engine.queued()).length === 0,
    30_000,
    () => lines.map(({ received }) => received.length).join(" "),
  );
  for (const { received } of lines) expect(received.map(({ id }) => id)).toEqual(accepted);
}, 60_000);

test("what comes to a line whose turn is held here wakes nobody, and goes out when the batch has ended", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const gate = Promise.withResolvers<{ status: number }>();
  to.answer = () => gate.promise;
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url, { fifo: true });
  const accepted = await engine.send(app);
  await to.waitFor(1);

  const { url } = engine.database;
  const ear = connect(url, { max: 1, prepare: false, applicationName: "ear" });
  stops.push(() => ear.end({ timeout: 1 }));
  const heard: string[] = [];
  await ear.listen(dueChannel, (payload) => heard.push(payload));
  for (let n = 0; n < 10; n += 1) accepted.push(...(await engine.send(app)));
  // Longer than a notifier waits for more to tell.
  await Bun.sleep(100);
  await ear.notify(dueChannel, "the last");
  await until(() => heard.includes("the last"));
  expect(heard).toEqual(["the last"]);
  gate.resolve({ status: 204 });
  await to.waitFor(accepted.length);
  expect(to.received.map(({ id }) => id)).toEqual(accepted);
}, 30_000);

/** Its line, filled by who does not deliver, and the way to start one who does. */
async function filledLine(count: number, env: Record<string, string> = {}) {
  const database = await createTestDatabase();
  stops.push(() => database.drop());
  const accepting = await startEngine({ database, worker: false });
  stops.push(() => accepting.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const app = await accepting.addApplication();
  const endpoint = await accepting.addEndpoint(app, to.url, { fifo: true });
  const accepted: string[] = [];
  const send = async (more: number) => {
    for (let n = 0; n < more; n += 1) accepted.push(...(await accepting.send(app)));
  };
  await send(count);
  return {
    sql: database.sql,
    to,
    accepted,
    send,
    set: (columns: Record<string, boolean>) =>
      database.sql`update endpoints set ${database.sql({ ...columns })}, revision = revision + 1 where id = ${endpoint}`,
    async startWorker() {
      const engine = await startEngine({ database, env });
      stops.push(() => engine.stop());
    },
    drained: () => until(async () => (await accepting.queued()).length === 0, 20_000),
    arrived: () => to.received.map(({ id }) => id),
  };
}

test("a breaker that opens lets the first of the line through to probe, and nothing past it", async () => {
  const line = await filledLine(8, { RETRY_SCHEDULE: Array(40).fill("0.01").join(",") });
  let failing = 12;
  line.to.answer = () => {
    failing -= 1;
    return { status: failing >= 0 ? 500 : 204 };
  };
  await line.startWorker();
  await line.drained();
  const [first = "", ...behind] = line.accepted;
  expect(line.arrived()).toEqual([...Array(13).fill(first), ...behind]);
  expect(await line.sql`select * from endpoint_health`).toHaveLength(0);
}, 40_000);

test("an endpoint that is disabled with a line gets none of it, and what comes once it is enabled in order", async () => {
  const line = await filledLine(20);
  await line.set({ disabled: true });
  await line.startWorker();
  await line.drained();
  await line.set({ disabled: false });
  await line.send(20);
  await line.drained();
  expect(line.arrived()).toEqual(line.accepted.slice(20));
}, 40_000);

test("an endpoint whose fifo is switched while much waits gets all of it, and in order what came while it was on", async () => {
  const line = await filledLine(20);
  await line.set({ fifo: false });
  await line.send(20);
  await line.set({ fifo: true });
  await line.send(20);
  await line.startWorker();
  await line.drained();
  expect(line.arrived().toSorted()).toEqual(line.accepted.toSorted());
  const inLine = new Set([...line.accepted.slice(0, 20), ...line.accepted.slice(40)]);
  expect(line.arrived().filter((id) => inLine.has(id))).toEqual([...inLine]);
}, 40_000);

test("a line whose first message has no payload any more, and can't be removed at first, goes on once it can", async () => {
  const line = await filledLine(5);
  const [first = "", ...behind] = line.accepted;
  await line.sql`update messages set payload = null where id = ${first}`;
  await line.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'no disk' using errcode = '53100'; end $$;
    create sequence refused;
    create trigger refuse before delete on deliveries for each row
      when (old.message_id = '${first}' and nextval('refused') <= 2) execute function refuse()`);
  await line.startWorker();
  await line.drained();
  expect(line.arrived()).toEqual(behind);
}, 40_000);
