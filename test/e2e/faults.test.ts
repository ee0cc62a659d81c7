import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  binary,
  killApps,
  postmasterIn,
  runApp,
  type Service,
  startServe,
  startWorker,
  usedDataDir,
} from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { type Cluster, startCluster } from "../harness/cluster.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../harness/database-proxy.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";
import { shoot, volley } from "../harness/volley.ts";

setDefaultTimeout(120_000);

let cluster: Cluster;
let proxy: DatabaseProxy;
const env = { RETRY_SCHEDULE: "0.2,1,2", DATABASE_URL: "" };
const throughSocket = () => ({ ...env, DATABASE_URL: cluster.url });
const receivers: Receiver[] = [];

beforeAll(async () => {
  await binary();
  cluster = await startCluster();
  proxy = await startDatabaseProxy(cluster.socketPath);
  env.DATABASE_URL = `postgres://posthorn@127.0.0.1:${proxy.port}/posthorn`;
  expect((await runApp(["migrate"], { env: throughSocket() })).code).toBe(0);
}, 120_000);
afterAll(async () => {
  killApps();
  await Promise.all(receivers.map((one) => one.stop()));
  await proxy?.stop();
  await cluster?.stop();
});

afterEach(async () => {
  killApps();
  await proxy.become("pass");
});

let targets = 0;
/** A receiver of its own, and the way to send it messages through `serve`. */
async function target(serve: Service) {
  const receiver = startReceiver();
  receivers.push(receiver);
  targets += 1;
  const uid = `target-${targets}`;
  const { send, endpointId } = await createTarget(createClient(serve.url), receiver, uid);
  return { receiver, send, endpointId, uid, post: `POST /app/${uid}/msg` as const };
}

/** Milliseconds until a message is accepted and has arrived, from now. */
async function normalAfter(serve: Service, { receiver, post }: Awaited<ReturnType<typeof target>>) {
  const startedAt = performance.now();
  const before = receiver.received.length;
  await until(async () => (await shoot(serve, post)).status === 202, 20_000);
  await until(() => receiver.received.length > before, 20_000);
  return performance.now() - startedAt;
}

async function stop(...services: Service[]): Promise<void> {
  for (const service of services) service.kill();
  expect(await Promise.all(services.map(({ exited }) => exited))).toEqual(services.map(() => 0));
  // A fault that nobody caught.
  expect(services.map((service) => service.stderr())).toEqual(services.map(() => ""));
}

test.each(["refuse", "hang up"] as const)(
  "PostgreSQL can't be reached (%s): 503 at once to all, and back within 2 s, workers too",
  async (mode) => {
    const [serve, worker] = await Promise.all([startServe({ env }), startWorker({ env })]);
    const to = await target(serve);
    await to.send();
    await proxy.become(mode);
    // Those that find out wait for a connection to fail.
    const first = [await volley(serve, 300, "GET /app"), await volley(serve, 300, to.post)];
    await Bun.sleep(1_000);
    const triesBefore = proxy.tries;
    const later = [await volley(serve, 300, "GET /app"), await volley(serve, 300, to.post)];
    for (const { statuses, silent503 } of [...first, ...later]) {
      expect({ statuses, silent503 }).toEqual({ statuses: { 503: 300 }, silent503: 0 });
    }
    for (const { slowestMs } of first) expect(slowestMs).toBeLessThan(2_000);
    for (const { slowestMs } of later) expect(slowestMs).toBeLessThan(500);
    // Nor is the database run over by attempts to connect.
    expect(proxy.tries - triesBefore).toBeLessThan(50);
    // Past the time that a token is believed for.
    await Bun.sleep(4_000);
    expect(await volley(serve, 50, to.post)).toMatchObject({ statuses: { 503: 50 }, silent503: 0 });
    await proxy.become("pass");
    expect(await normalAfter(serve, to)).toBeLessThan(2_000);
    expect(await volley(serve, 300, "GET /app")).toMatchObject({ statuses: { 200: 300 } });
    await stop(serve, worker);
  },
);

test("PostgreSQL falls silent: 503 within seconds, then at once, and back within 2 s of its first answer", async () => {
  const [serve, worker] = await Promise.all([startServe({ env }), startWorker({ env })]);
  const to = await target(serve);
  await to.send();
  await proxy.become("silence");
  const found = [volley(serve, 50, to.post), volley(serve, 50, "GET /app")];
  await Promise.all([
    serve.logged("the database can't be reached", 30_000),
    worker.logged("the database can't be reached", 30_000),
  ]);
  const { statuses, silent503, slowestMs } = await volley(serve, 300, to.post);
  expect({ statuses, silent503 }).toEqual({ statuses: { 503: 300 }, silent503: 0 });
  expect(slowestMs).toBeLessThan(500);
  for (const { statuses, silent503, slowestMs } of await Promise.all(found)) {
    expect({ statuses, silent503 }).toEqual({ statuses: { 503: 50 }, silent503: 0 });
    expect(slowestMs).toBeLessThan(10_000);
  }
  // The connections of before stay silent: nobody tells either side that they are dead.
  await proxy.become("pass");
  expect(await normalAfter(serve, to)).toBeLessThan(2_000);
  await stop(serve, worker);
});

test("PostgreSQL is stopped for longer than a heartbeat may be missing: workers go on where they were, without a restart", async () => {
  const env = throughSocket();
  const [serve, ...workers] = await Promise.all([
    startServe({ env, args: ["--worker"] }),
    startWorker({ env }),
    startWorker({ env }),
  ]);
  const to = await target(serve);
  to.receiver.answer = () => Bun.sleep(200).then(() => ({ status: 204 }));
  const accepted = await Promise.all(Array.from({ length: 200 }, () => to.send()));
  await to.receiver.waitFor(20);
  await cluster.stop();
  expect(await volley(serve, 100, to.post)).toMatchObject({ statuses: { 503: 100 }, silent503: 0 });
  await Bun.sleep(12_000);
  expect(await volley(serve, 100, "GET /app")).toMatchObject({ statuses: { 503: 100 }, silent503: 0 });
  await cluster.start();
  to.receiver.answer = () => ({ status: 204 });
  expect(await normalAfter(serve, to)).toBeLessThan(2_000);
  await until(() => accepted.every((id) => to.receiver.delivered.has(id)), 30_000);
  await queueIsEmpty();
  // Each of them could say nothing for a while; none of them was dead.
  await Bun.sleep(4_000);
  for (const { lines } of [serve, ...workers]) {
    expect(lines().filter(({ msg }) => msg === "took over from workers that died")).toEqual([]);
  }
  expect([...to.receiver.delivered.values()].filter((count) => count > 1)).toEqual([]);
  await stop(serve, ...workers);
});

test("embedded PostgreSQL is killed with -9: serve brings it back, answers 503 meanwhile, and loses nothing", async () => {
  const dataDir = await usedDataDir();
  const serve = await startServe({ env: { RETRY_SCHEDULE: "0.2,1,2", DATA_DIR: dataDir } });
  const to = await target(serve);
  const accepted: string[] = [];
  for (let kill = 0; kill < 3; kill += 1) {
    process.kill(postmasterIn(dataDir) ?? 0, "SIGKILL");
    const startedAt = performance.now();
    let back = false;
    let lastRefusedAfterMs = 0;
    while (!back && performance.now() - startedAt < 20_000) {
      const { status, ms } = await shoot(serve, to.post);
      expect([202, 503]).toContain(status);
      await Bun.sleep(20);
      expect(ms).toBeLessThan(2_000);
      if (status === 503) lastRefusedAfterMs = performance.now() - startedAt;
      back = status === 202 && performance.now() - startedAt > 1_500;
    }
    console.log(`PostgreSQL killed with -9: the last 503 after ${Math.round(lastRefusedAfterMs)} ms`);
    expect(back).toBe(true);
    accepted.push(await to.send());
  }
  await until(() => accepted.every((id) => to.receiver.delivered.has(id)), 20_000);
  await stop(serve);
});

/** No row of the queue is left, whoever held it. */
async function queueIsEmpty(ms = 20_000): Promise<void> {
  let left: unknown[] = [];
  await until(
    async () => {
      left = [...(await cluster.sql`select * from deliveries limit 3`)];
      return left.length === 0;
    },
    ms,
    () => JSON.stringify(left),
  );
}
