import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  binary,
  jwtSecret,
  killApps,
  runApp,
  type Service,
  startApp,
  startServe,
  startWorker,
} from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(120_000);
beforeAll(binary);
afterAll(killApps);

const databases: TestDatabase[] = [];
const receivers: Receiver[] = [];
afterEach(async () => {
  killApps();
  for (const receiver of receivers.splice(0)) await receiver.stop();
  for (const database of databases.splice(0)) await database.drop();
});

async function database(options?: { migrated: boolean }): Promise<TestDatabase> {
  const made = await createTestDatabase(options);
  databases.push(made);
  return made;
}

function receiver(): Receiver {
  const started = startReceiver();
  receivers.push(started);
  return started;
}

const envFor = ({ url }: TestDatabase) => ({ DATABASE_URL: url, RETRY_SCHEDULE: "0.2,1,2" });

async function stop(...services: Service[]): Promise<void> {
  for (const service of services) service.kill();
  expect(await Promise.all(services.map(({ exited }) => exited))).toEqual(services.map(() => 0));
}

const attemptsOf = (worker: Service) => worker.lines().filter(({ msg }) => msg === "attempt").length;

describe("migrate", () => {
  test("sixteen at once on an empty database: each exits 0, each migration is applied once", async () => {
    const empty = await database({ migrated: false });
    const env = envFor(empty);
    const runs = await Promise.all(Array.from({ length: 16 }, () => runApp(["migrate", "--json"], { env })));
    expect(runs.map(({ code }) => code)).toEqual(Array(16).fill(0));
    const applied = runs.flatMap(({ stdout }) => JSON.parse(stdout).applied as string[]);
    expect(applied.length).toBeGreaterThan(0);
    expect(new Set(applied).size).toBe(applied.length);
    const check = await runApp(["migrate", "check"], { env });
    expect(check).toMatchObject({ code: 0, stdout: "ok\n" });
    const status = await runApp(["migrate", "status", "--json"], { env });
    const { migrations } = JSON.parse(status.stdout) as { migrations: { name: string; state: string }[] };
    expect(migrations.map(({ name, state }) => [name, state])).toEqual(
      [...applied].sort().map((name) => [name, "applied"]),
    );
  });

  test("what it leaves is ready for messages: the partitions of the coming weeks are there", async () => {
    const empty = await database({ migrated: false });
    expect((await runApp(["migrate"], { env: envFor(empty) })).code).toBe(0);
    const [row] = await empty.sql`
      select count(*) filter (where relname like 'messages\\_%' and relispartition)::int as messages,
             count(*) filter (where relname like 'attempts\\_%' and relispartition)::int as attempts
      from pg_class where relkind = 'r'`;
    expect(row?.messages).toBeGreaterThan(7);
    expect(row?.attempts).toBeGreaterThan(7);
  });

  test.each(["serve", "worker"])("%s refuses a schema too old, and says what to run", async (role) => {
    const empty = await database({ migrated: false });
    const run = await runApp([role], { env: { ...envFor(empty), JWT_SECRET: jwtSecret, PORT: "0" } });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("schema is too old");
    expect(run.stderr).toContain("run `app migrate` first");
    const check = await runApp(["migrate", "check"], { env: envFor(empty) });
    expect(check.code).toBe(1);
    expect(check.stdout).toContain("behind");
  });
});

describe("serve and two workers", () => {
  test("everything arrives once, and both workers take part", async () => {
    const env = envFor(await database());
    const [serve, one, two] = await Promise.all([
      startServe({ env }),
      startWorker({ env }),
      startWorker({ env }),
    ]);
    const hook = receiver();
    hook.answer = async () => {
      await Bun.sleep(20);
      return { status: 204 };
    };
    const { send } = await createTarget(createClient(serve.url), hook);
    const accepted = await sendMany(500, send);
    await until(
      () => hook.delivered.size === accepted.length,
      30_000,
      () => `${hook.delivered.size} of 500`,
    );
    await stop(serve, one, two);
    expect([...hook.delivered.values()].every((count) => count === 1)).toBe(true);
    expect(attemptsOf(one)).toBeGreaterThan(0);
    expect(attemptsOf(two)).toBeGreaterThan(0);
    expect(attemptsOf(one) + attemptsOf(two)).toBe(500);
  });

  test("a worker that is killed with -9 loses nothing: the other takes over within its heartbeat's time", async () => {
    const env = { ...envFor(await database()), DELIVERY_TIMEOUT_MS: "60000" };
    const [serve, doomed] = await Promise.all([startServe({ env }), startWorker({ env })]);
    const hook = receiver();
    const never = new Promise<never>(() => {});
    hook.answer = () => never;
    const { send } = await createTarget(createClient(serve.url), hook);
    const accepted = await sendMany(100, send);
    await hook.waitFor(32);
    hook.answer = () => ({ status: 204 });
    const heir = await startWorker({ env });
    doomed.kill("SIGKILL");
    const killedAt = performance.now();
    await until(
      () => hook.delivered.size === accepted.length,
      20_000,
      () => `${hook.delivered.size} of 100`,
    );
    expect(performance.now() - killedAt).toBeLessThan(16_000);
    expect(heir.lines().some(({ msg }) => msg === "took over from workers that died")).toBe(true);
    await stop(serve, heir);
  });

  test("a worker that is stopped hands back what it has not started, and the other sends it at once", async () => {
    const env = { ...envFor(await database()), DELIVERY_TIMEOUT_MS: "60000", SHUTDOWN_TIMEOUT_MS: "500" };
    const [serve, leaver] = await Promise.all([startServe({ env }), startWorker({ env })]);
    const hook = receiver();
    const never = new Promise<never>(() => {});
    hook.answer = () => never;
    const { send } = await createTarget(createClient(serve.url), hook);
    const accepted = await sendMany(100, send);
    await hook.waitFor(32);
    hook.answer = () => ({ status: 204 });
    const heir = await startWorker({ env });
    await stop(leaver);
    await until(
      () => hook.delivered.size === accepted.length,
      5_000,
      () => `${hook.delivered.size} of 100`,
    );
    await stop(serve, heir);
  });

  test("serve --worker delivers by itself", async () => {
    const env = envFor(await database());
    const serve = await startServe({ env, args: ["--worker"] });
    const hook = receiver();
    const { send } = await createTarget(createClient(serve.url), hook);
    const id = await send();
    await until(() => hook.delivered.has(id));
    await stop(serve);
  });
});

test("a worker answers for its health, readiness and metrics on a port of its own", async () => {
  const env = envFor(await database());
  const worker = await startWorker({ env });
  const get = async (path: string) => {
    const response = await fetch(`${worker.url}${path}`);
    return { status: response.status, text: await response.text() };
  };
  expect(await get("/health")).toMatchObject({ status: 200 });
  expect(await get("/ready")).toEqual({ status: 200, text: '{"ready":true}' });
  expect((await get("/metrics")).text).toMatch(/^posthorn_deliveries_in_flight 0$/m);
  expect(await get("/elsewhere")).toMatchObject({ status: 404 });
  await stop(worker);
});

test("a database that can't be reached is a sentence and exit 1, without the password", async () => {
  const app = await startApp({
    args: ["serve"],
    env: { DATABASE_URL: "postgres://me:tops3cret@127.0.0.1:1/none", JWT_SECRET: jwtSecret, PORT: "0" },
  });
  expect(await app.exited).toBe(1);
  expect(app.stderr()).toContain("ECONNREFUSED");
  expect(app.stdout() + app.stderr()).not.toContain("tops3cret");
});

async function sendMany(count: number, send: () => Promise<string>): Promise<string[]> {
  const ids: string[] = [];
  const sender = async () => {
    while (ids.length < count - sendersCount + 1) ids.push(await send());
  };
  const sendersCount = 10;
  await Promise.all(Array.from({ length: sendersCount }, sender));
  while (ids.length < count) ids.push(await send());
  return ids;
}
