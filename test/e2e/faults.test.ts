import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "../../src/database.ts";
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
    // A crowd's refusals are no crowd of stacks.
    expect(serve.lines().filter(({ msg }) => msg === "request failed")).toEqual([]);
    const codes = serve
      .lines()
      .flatMap(({ msg, code }) => (msg === "the database can't be used" ? [code] : []));
    expect(codes).not.toEqual([]);
    // The connection's own words, and not those that the client gets.
    for (const code of codes) expect(code).toMatch(/^[A-Z0-9_]+$/);
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
  await queueIsEmpty(to);
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
    // The watch may learn of the fault when it has just passed, and refuses until it has looked again.
    await until(
      () =>
        to.send().then(
          (id) => accepted.push(id) > 0,
          () => false,
        ),
      2_000,
    );
  }
  await until(() => accepted.every((id) => to.receiver.delivered.has(id)), 20_000);
  await stop(serve);
});

test("a worker stopped past its lease and then woken is fenced: its late answers change nothing, and it goes on", async () => {
  const env = { ...throughSocket(), DELIVERY_TIMEOUT_MS: "60000" };
  const [serve, sleeper] = await Promise.all([startServe({ env }), startWorker({ env })]);
  const to = await target(serve);
  const gate = Promise.withResolvers<{ status: number }>();
  to.receiver.answer = () => gate.promise;
  const ids = await Promise.all(Array.from({ length: 60 }, () => to.send()));
  await to.receiver.waitFor(32);
  sleeper.kill("SIGSTOP");
  const asleepWith = to.receiver.received.length;
  // The other fails at first, so that what the sleeper has to say later would end what is to be tried again.
  to.receiver.answer = () => ({ status: 500 });
  const heir = await startWorker({ env: { ...env, RETRY_SCHEDULE: "4,1,1" } });
  await heir.logged("took over from workers that died", 30_000);
  await to.receiver.waitFor(asleepWith + 1, 20_000);
  const queue = () =>
    cluster.sql`select message_id, attempt, lease from deliveries where endpoint_id = ${to.endpointId} order by 1`;
  await until(async () => (await queue()).some((row) => row.attempt === 1), 10_000);
  const before = await queue();
  gate.resolve({ status: 204 });
  await Bun.sleep(100);
  sleeper.kill("SIGCONT");
  const recorded = () => cluster.sql`
    select message_id from attempts where status = 0 and message_id in ${cluster.sql(ids)}`;
  await until(async () => (await recorded()).length >= asleepWith, 10_000);
  const after = new Map((await queue()).map((row) => [row.message_id, row]));
  for (const row of before.filter(({ attempt }) => attempt === 1)) {
    expect(after.get(row.message_id)?.attempt).toBeGreaterThanOrEqual(1);
  }
  to.receiver.answer = () => ({ status: 204 });
  await queueIsEmpty(to, 40_000);
  expect(ids.filter((id) => !to.receiver.delivered.has(id))).toEqual([]);
  await stop(heir);
  const late = await to.send();
  await until(() => to.receiver.delivered.has(late));
  await stop(serve, sleeper);
});

test("no connection is free: who has one goes on, who has none gets 503 at once, and all is back within 2 s", async () => {
  const env = throughSocket();
  const serve = await startServe({ env, args: ["--worker"] });
  const to = await target(serve);
  await to.send();
  let holding = true;
  const hog = connect(cluster.url, { max: 110, prepare: false, applicationName: "hog" });
  const holds = Array.from({ length: 110 }, async () => {
    while (holding) await hog`select pg_sleep(0.5)`.catch(() => Bun.sleep(50));
  });
  await until(
    () =>
      cluster.sql`select count(*)::int as n from pg_stat_activity where application_name = 'hog'`.then(
        ([row]) => row?.n > 80,
      ),
    20_000,
  );
  await Bun.sleep(500);
  expect((await volley(serve, 50, to.post)).statuses).toEqual({ 202: 50 });
  await cluster.cut("posthorn serve");
  for (let round = 0; round < 10; round += 1) {
    for (const request of [to.post, "GET /app"] as const) {
      const { statuses, silent503, slowestMs } = await volley(serve, 50, request);
      const allowed = (statuses[503] ?? 0) + (statuses[request === "GET /app" ? 200 : 202] ?? 0);
      expect({ allowed, silent503, statuses }).toEqual({ allowed: 50, silent503: 0, statuses });
      expect(slowestMs).toBeLessThan(3_000);
    }
  }
  holding = false;
  await Promise.all(holds);
  await hog.end({ timeout: 1 });
  expect(await normalAfter(serve, to)).toBeLessThan(2_000);
  await until(async () => (await volley(serve, 50, "GET /app")).statuses[200] === 50, 2_000);
  await queueIsEmpty(to);
  await stop(serve);
});

test("overload: what can't be taken in time waits or gets 503, memory stays, and full speed is back at once", async () => {
  const env = throughSocket();
  const serve = await startServe({ env, args: ["--worker"] });
  const to = await target(serve);
  const rss = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serve.pid}/status`, "utf8"))?.[1]) / 1024;
  const rate = async (ms: number) => {
    const endsAt = performance.now() + ms;
    let count = 0;
    const client = async () => {
      while (performance.now() < endsAt) if ((await shoot(serve, to.post)).status === 202) count += 1;
    };
    await Promise.all(Array.from({ length: 128 }, client));
    return (count / ms) * 1_000;
  };
  await rate(1_000);
  const [before, rssBefore] = [await rate(2_000), rss()];
  // Nothing can be committed for longer than a statement may take.
  const locked = cluster.sql.begin(async (tx) => {
    await tx`lock table messages in access exclusive mode`;
    await Bun.sleep(15_000);
  });
  await Bun.sleep(200);
  const { statuses, silent503 } = await volley(serve, 2_000, to.post);
  await locked;
  const known = (statuses[202] ?? 0) + (statuses[503] ?? 0);
  expect({ known, silent503, statuses }).toEqual({ known: 2_000, silent503: 0, statuses });
  expect(await normalAfter(serve, to)).toBeLessThan(2_000);
  const after = await rate(2_000);
  console.log(
    `128 clients: ${Math.round(before)}/s before, ${Math.round(after)}/s after; ${Math.round(rssBefore)} and ${Math.round(rss())} MB; meanwhile`,
    statuses,
  );
  expect(after).toBeGreaterThan(before / 2);
  expect(rss()).toBeLessThan(Math.max(250, rssBefore + 100));
  await queueIsEmpty(to, 40_000);
  await stop(serve);
});

/** No row of the queue is left, whoever held it. */
async function queueIsEmpty({ endpointId }: { endpointId: string }, ms = 20_000): Promise<void> {
  let left: unknown[] = [];
  await until(
    async () => {
      left = [...(await cluster.sql`select * from deliveries where endpoint_id = ${endpointId} limit 3`)];
      return left.length === 0;
    },
    ms,
    () => JSON.stringify(left),
  );
}
