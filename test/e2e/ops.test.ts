import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "../../src/database.ts";
import {
  binary,
  databaseIn,
  killApps,
  orgToken,
  runApp,
  type Service,
  startApp,
  startServe,
  usedDataDir,
} from "../harness/binary.ts";
import { type Client, createClient, createTarget } from "../harness/client.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(60_000);

const messagesCount = 40;
let serve: Service;
let client: Client;
let env: Record<string, string>;
const receivers: Receiver[] = [];
const accepted: string[] = [];

beforeAll(async () => {
  await binary();
  env = { DATA_DIR: await usedDataDir() };
  serve = await startServe({ env });
  client = createClient(serve.url);
  const early = receiver();
  const { send } = await createTarget(client, early);
  for (let n = 0; n < messagesCount; n += 1) accepted.push(await send());
  await early.waitFor(messagesCount);
}, 120_000);
afterAll(async () => {
  killApps();
  for (const one of receivers) await one.stop();
});

function receiver(): Receiver {
  const started = startReceiver();
  receivers.push(started);
  return started;
}

/** An endpoint that was not there when the messages were sent. */
async function lateEndpoint(): Promise<{ hook: Receiver; argv: string[] }> {
  const hook = receiver();
  const { id } = await client.post<{ id: string }>("/app/acme/endpoint", { url: hook.url });
  const { key } = await client.get<{ key: string }>(`/app/acme/endpoint/${id}/secret`);
  hook.verifyWith(key);
  return { hook, argv: ["ops", "backfill", "--endpoint", id, "--since", "1h", "--yes", "--json"] };
}

const eachOnce = (hook: Receiver) =>
  [...hook.delivered.values()].every((count) => count === 1) && hook.refused === 0;

test("beside a live serve it sends what the endpoint never got, once; a dry run sends nothing", async () => {
  const { hook, argv } = await lateEndpoint();
  const tried = await runApp([...argv, "--dry-run"], { env });
  expect(tried.code).toBe(0);
  expect(tried.stdout).toContain(`"queued":${messagesCount}`);
  const ran = await runApp(argv, { env });
  expect(ran.code).toBe(0);
  for (const line of ran.stdout.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("event");
  await until(() => accepted.every((id) => hook.delivered.has(id)));
  const again = await runApp(argv, { env });
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('"queued":0');
  expect(hook.received.length).toBe(messagesCount);
  expect(eachOnce(hook)).toBe(true);
});

test("interrupted it exits 130, killed it just ends; the same command goes on and nothing is sent twice", async () => {
  const { hook, argv } = await lateEndpoint();
  const slowly = [...argv, "--rate", "5"];
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGKILL", 137],
  ] as const) {
    const before = hook.received.length;
    const cut = await startApp({ args: slowly, env });
    await until(() => hook.received.length >= before + 5, 30_000);
    cut.kill(signal);
    expect(await cut.exited).toBe(code);
  }
  expect(hook.delivered.size).toBeLessThan(messagesCount);
  // A killed run's hold on the task has to run out first: as though most of its time had passed.
  const sql = connect(databaseIn(env.DATA_DIR ?? ""), {
    max: 1,
    prepare: false,
    applicationName: "posthorn test",
  });
  await sql`update background_tasks set leased_until = now() + interval '2 seconds' where leased_until > now()`;
  await sql.end();
  await until(async () => (await runApp([...argv, "--rate", "50"], { env })).code === 0, 50_000);
  await until(() => accepted.every((id) => hook.delivered.has(id)));
  expect(hook.received.length).toBe(messagesCount);
  expect(eachOnce(hook)).toBe(true);
});

test("a key that ops keys makes opens the API, and once revoked no more", async () => {
  const made = await runApp(["ops", "keys", "create", "--name", "e2e", "--json"], { env });
  expect(made.code).toBe(0);
  const { id, token } = JSON.parse(made.stdout.split("\n")[0] ?? "");
  const status = async () =>
    (await fetch(`${serve.url}/api/v1/app`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect(await status()).toBe(200);
  expect((await runApp(["ops", "keys", "list", "--json"], { env })).stdout).toContain(id);
  expect((await runApp(["ops", "keys", "revoke", id, "--yes"], { env })).code).toBe(0);
  await until(async () => (await status()) === 401);
  expect(serve.stdout() + serve.stderr()).not.toContain(token);
});

test("beside a live serve: stats and doctor look, rotate-secret encrypts, and deliveries go on", async () => {
  const stats = JSON.parse((await runApp(["ops", "stats", "--json"], { env })).stdout);
  expect(stats.workers).toMatchObject([{ alive: true }]);
  expect(stats.rates.messages).toBeGreaterThan(0);
  const doctor = await runApp(["ops", "doctor"], { env });
  for (const line of ["ok    schema", "ok    durability", "ok    workers", "warn  secrets"]) {
    expect(doctor.stdout).toContain(line);
  }
  const key = Buffer.alloc(32, 7).toString("base64");
  const keyed = { ...env, ENCRYPTION_KEY: key };
  serve.kill();
  expect(await serve.exited).toBe(0);
  serve = await startServe({ env: keyed });
  client = createClient(serve.url);
  const rotated = await runApp(["ops", "rotate-secret", "--yes", "--json"], { env: keyed });
  expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/"encrypted":[1-9]/) });
  expect((await runApp(["ops", "doctor"], { env: keyed })).stdout).toContain("ok    secrets");
  const hook = receiver();
  const { send } = await createTarget(client, hook, "keyed");
  const id = await send();
  await until(() => hook.delivered.has(id));
});

const summaryOf = (stdout: string) => JSON.parse(stdout.trim().split("\n").at(-1) ?? "");

test("beside a live serve recover sends again what has failed, and delete-application leaves no trace", async () => {
  const hook = receiver();
  hook.answer = () => ({ status: 500 });
  const app = await client.post<{ id: string }>("/app", { name: "Frail", uid: "frail" });
  const endpoint = await client.post<{ id: string }>("/app/frail/endpoint", {
    url: hook.url,
    retrySchedule: [],
  });
  const { id } = await client.post<{ id: string }>("/app/frail/msg", { eventType: "a", payload: {} });
  const attempts = async () =>
    (await client.get<{ data: object[] }>(`/app/frail/attempt/msg/${id}`)).data.length;
  await until(async () => (await attempts()) === 1);
  hook.answer = () => ({ status: 204 });
  const recover = ["ops", "recover", "--endpoint", endpoint.id, "--since", "1h", "--json"];
  const recovered = await runApp(recover, { env });
  expect([recovered.code, summaryOf(recovered.stdout)]).toMatchObject([0, { scanned: 1, queued: 1 }]);
  expect(recovered.stdout).not.toContain("no-worker");
  await until(() => hook.delivered.has(id));
  await until(async () => (await attempts()) === 2);

  const remove = ["ops", "delete-application", "--app", app.id];
  expect((await runApp(remove, { env })).code).toBe(2);
  const removed = await runApp([...remove, "--yes"], { env });
  expect([removed.code, summaryOf(removed.stdout)]).toMatchObject([
    0,
    { endpoints: 1, attempts: 2, messages: 1 },
  ]);
  await expect(client.get("/app/frail")).rejects.toThrow("404");
  expect((await runApp([...remove, "--yes"], { env })).stderr).toContain("There is no application");
  const purged = await runApp(["ops", "purge", "--yes"], { env });
  expect([purged.code, summaryOf(purged.stdout)]).toMatchObject([0, { partitions: 0, payloads: 0 }]);
});

test("import-svix takes over from a live serve into a database where nothing runs, and a second time nothing", async () => {
  const own = { DATA_DIR: await usedDataDir() };
  const argv = ["ops", "import-svix", "--from", serve.url, "--token", orgToken];
  const imported = await runApp(argv, { env: own });
  expect([imported.code, imported.stderr.includes(orgToken)]).toEqual([0, false]);
  const { applications, endpoints } = summaryOf(imported.stdout);
  expect(applications).toBeGreaterThan(0);
  expect(endpoints).toBeGreaterThan(0);
  const again = await runApp(argv, { env: own });
  expect([again.code, summaryOf(again.stdout)]).toMatchObject([
    0,
    { applications: 0, endpoints: 0, kept: applications + endpoints, failed: 0 },
  ]);
});
