import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { isAlive } from "../../src/lib/embedded-postgres/pid-file.ts";
import {
  binary,
  killApps,
  postmasterIn,
  type Service,
  startApp,
  startServe,
  usedDataDir,
} from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(120_000);
beforeAll(binary);
afterAll(killApps);

/** Keeps sending until the server is gone. @returns the ids that were accepted, growing */
function sendUntilGone(send: () => Promise<string>, sendersCount = 16) {
  const accepted: string[] = [];
  let gone = false;
  const sender = async () => {
    while (!gone) {
      try {
        accepted.push(await send());
      } catch {
        gone = true;
      }
    }
  };
  return { accepted, ended: Promise.all(Array.from({ length: sendersCount }, sender)) };
}

async function startWithTarget(receiver: Receiver, env: Record<string, string> = {}) {
  const dataDir = await usedDataDir();
  const again = (port: number): Promise<Service> =>
    startServe({ env: { RETRY_SCHEDULE: "0.2,1", DATA_DIR: dataDir, ...env, PORT: String(port) } });
  const serve = await again(0);
  const { send } = await createTarget(createClient(serve.url), receiver);
  return { serve, send, dataDir, again: () => again(serve.port) };
}

test("SIGTERM under load: exit 0 in time, nothing lost, nothing delivered twice, no process left", async () => {
  const receiver = startReceiver();
  receiver.answer = async () => {
    await Bun.sleep(30);
    return { status: 204 };
  };
  const { serve, send, dataDir, again } = await startWithTarget(receiver);
  const { accepted, ended } = sendUntilGone(send);
  await until(() => accepted.length > 500);
  const postgresPid = postmasterIn(dataDir) ?? 0;
  expect(isAlive(postgresPid)).toBe(true);

  const signalledAt = performance.now();
  serve.kill("SIGTERM");
  expect(await serve.exited).toBe(0);
  expect(performance.now() - signalledAt).toBeLessThan(15_000);
  expect(isAlive(postgresPid)).toBe(false);
  expect(postmasterIn(dataDir)).toBeNull();
  await ended;
  expect(serve.lines().filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);

  const next = await again();
  await until(() => accepted.every((id) => receiver.delivered.has(id)), 30_000);
  next.kill();
  expect(await next.exited).toBe(0);
  const twice = [...receiver.delivered].filter(([, count]) => count > 1);
  expect(twice).toEqual([]);
  expect(receiver.received.length).toBe(receiver.delivered.size);
  await receiver.stop();
});

test("what hangs past the deadline is given back, at no cost to its attempts", async () => {
  const receiver = startReceiver();
  const hanging = new Promise<never>(() => {});
  receiver.answer = () => hanging;
  const { serve, send, again } = await startWithTarget(receiver, {
    SHUTDOWN_TIMEOUT_MS: "1000",
    DELIVERY_TIMEOUT_MS: "60000",
    RETRY_SCHEDULE: "",
  });
  const accepted = await Promise.all(Array.from({ length: 100 }, () => send()));
  await receiver.waitFor(32);
  const signalledAt = performance.now();
  serve.kill("SIGTERM");
  expect(await serve.exited).toBe(0);
  expect(performance.now() - signalledAt).toBeWithin(1_000, 4_000);

  receiver.answer = () => ({ status: 204 });
  const next = await again();
  // With no retry in the schedule, a counted attempt would have been the last.
  await until(() => accepted.every((id) => receiver.delivered.has(id)));
  next.kill();
  expect(await next.exited).toBe(0);
  await receiver.stop();
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "a second signal ends it at once, PostgreSQL too, and the next start loses nothing: %s",
  async (signal) => {
    const receiver = startReceiver();
    const hanging = new Promise<never>(() => {});
    receiver.answer = () => hanging;
    const { serve, send, dataDir, again } = await startWithTarget(receiver, { DELIVERY_TIMEOUT_MS: "60000" });
    const id = await send();
    await receiver.waitFor(1);
    const postgresPid = postmasterIn(dataDir) ?? 0;
    serve.kill(signal);
    // What follows at once is the same ^C, passed on by a runner.
    serve.kill(signal);
    await serve.logged("stopping");
    await Bun.sleep(500);
    expect(isAlive(serve.pid)).toBe(true);
    const signalledAt = performance.now();
    serve.kill(signal);
    expect(await serve.exited).toBe(130);
    expect(performance.now() - signalledAt).toBeLessThan(1_000);
    await until(() => !isAlive(postgresPid));

    receiver.answer = () => ({ status: 204 });
    const next = await again();
    await until(() => receiver.delivered.has(id));
    next.kill();
    expect(await next.exited).toBe(0);
    await receiver.stop();
  },
);

test("SIGTERM while it starts: exit 0, and no PostgreSQL left", async () => {
  const dataDir = await usedDataDir();
  for (const msg of ["starting", "PostgreSQL started"]) {
    const app = await startApp({ args: ["serve"], env: { PORT: "0", DATA_DIR: dataDir } });
    await app.logged(msg);
    app.kill();
    expect(await app.exited).toBe(0);
    expect(postmasterIn(dataDir)).toBeNull();
  }
});

test("a client that keeps its connection open doesn't hold the exit up", async () => {
  const receiver = startReceiver();
  const { serve } = await startWithTarget(receiver);
  const idle = await Bun.connect({
    hostname: "127.0.0.1",
    port: serve.port,
    socket: {
      data() {},
      open: (socket) => void socket.write("GET /api/v1/health/ping HTTP/1.1\r\nhost: x\r\n\r\n"),
    },
  });
  await Bun.sleep(100);
  const signalledAt = performance.now();
  serve.kill();
  expect(await serve.exited).toBe(0);
  expect(performance.now() - signalledAt).toBeLessThan(3_000);
  idle.end();
  await receiver.stop();
});
