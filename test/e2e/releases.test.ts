import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { migrateUp } from "../../src/lib/migrator/index.ts";
import { migrations } from "../../src/migrations.ts";
import { binary, killApps, runApp, startServe, startWorker } from "../harness/binary.ts";
import { createClient, createTarget } from "../harness/client.ts";
import { createTestDatabase, silent, type TestDatabase } from "../harness/postgres.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

setDefaultTimeout(120_000);

let database: TestDatabase | null = null;
const receivers: Receiver[] = [];
beforeAll(binary);
afterAll(async () => {
  killApps();
  await Promise.all(receivers.map((one) => one.stop()));
  await database?.drop();
});

/** Everything that a release may add to tables that the one before it uses. */
const additions = (table: string) => `
  alter table ${table} add column newer_text text, add column newer_count integer not null default 0;
  create index newer_${table} on ${table} (newer_text) where newer_text is not null;`;
const tables = [
  "applications",
  "endpoints",
  "messages",
  "deliveries",
  "attempts",
  "idempotency_keys",
  "turns",
  "endpoint_health",
  "workers",
];
const newer = ["create table newer (id text primary key)", ...tables.map(additions)].map((sql, n) => ({
  name: `${String(migrations.length + 1 + n).padStart(4, "0")}_newer.sql`,
  sql,
}));
const newerNames = newer.map(({ name }) => name);
const warning = "the database's schema is newer than this release";

test("a newer release migrates under a serve and a worker of this one at work: no request fails, nothing is lost, and both may start again", async () => {
  database = await createTestDatabase();
  const [plain, inLine] = [startReceiver(), startReceiver()];
  receivers.push(plain, inLine);
  const env = { DATABASE_URL: database.url, RETRY_SCHEDULE: "0.2,1,2" };
  const [serve, worker] = await Promise.all([startServe({ env }), startWorker({ env })]);
  const client = createClient(serve.url);
  const { send } = await createTarget(client, plain);
  await client.post("/app/acme/endpoint", { url: inLine.url, fifo: true, uid: "in-line" });
  const reads = () =>
    Promise.all(
      ["/app", "/app/acme/msg", "/app/acme/endpoint", "/app/acme/endpoint/in-line/stats"].map((path) =>
        client.get(path),
      ),
    );

  const accepted: string[] = [];
  let migrated = false;
  let sentAfter = 0;
  const sender = async () => {
    while (sentAfter < 200) {
      accepted.push(await send());
      if (migrated) sentAfter += 1;
      if (accepted.length % 10 === 0) await reads();
    }
  };
  const senders = Promise.all(Array.from({ length: 4 }, sender));
  await until(() => accepted.length > 100, 20_000);
  const applied = await migrateUp({ sql: database.sql, migrations: [...migrations, ...newer], log: silent });
  expect(applied).toEqual(newerNames);
  migrated = true;
  await senders;

  const [again, other] = await Promise.all([startServe({ env, args: ["--worker"] }), startWorker({ env })]);
  for (const { lines } of [again, other]) {
    const found = lines().find(({ msg }) => msg === warning);
    expect(found).toMatchObject({ level: "warn", migrations: newerNames });
  }
  accepted.push(await send(createClient(again.url)));
  const missing = () => accepted.filter((id) => ![plain, inLine].every(({ delivered }) => delivered.has(id)));
  await until(
    () => missing().length === 0,
    30_000,
    () => `${missing().length} of ${accepted.length} are missing`,
  );
  // What the migration has held up was tried again, which is worth a warning and no more.
  const errors = [serve, worker, again, other].flatMap(({ lines }) =>
    lines().filter(({ level }) => level === "error"),
  );
  expect(errors).toEqual([]);
  // It has nothing to do, and leaves the newer one's alone.
  expect(await runApp(["migrate"], { env })).toMatchObject({ code: 0 });
  expect(await runApp(["migrate", "check"], { env })).toMatchObject({ code: 0 });
  const all = [serve, worker, again, other];
  for (const service of all) service.kill();
  expect(await Promise.all(all.map(({ exited }) => exited))).toEqual([0, 0, 0, 0]);
});
