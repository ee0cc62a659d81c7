import { afterAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { openDatabase, reachDatabase } from "../../src/database.ts";
import { createTestDatabase, silent as silentLog, temporaryFolder } from "../harness/postgres.ts";

const config = { databasePrepare: true, dataDir: "none" };

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

const run = async (args: string[], env: Record<string, string>) => {
  const child = Bun.spawn(["bun", "src/main.ts", ...args], {
    env: { PATH: Bun.env.PATH, ...env },
    stdout: "pipe",
    stderr: "pipe",
    timeout: 50_000,
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
};

/** 57P03, as a server that recovers answers everybody. */
function startingUp(): Uint8Array {
  const fields = Buffer.from("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

test("a server that is starting up is waited for", async () => {
  const database = await createTestDatabase();
  const url = new URL(database.url);
  const socket = `${url.searchParams.get("host")}/.s.PGSQL.${url.port}`;
  let tries = 0;
  const port = await listen(
    createServer((client) => {
      tries += 1;
      client.on("error", () => {});
      if (tries <= 2) return void client.once("data", () => client.end(startingUp()));
      const upstream = createConnection(socket);
      upstream.on("error", () => client.destroy());
      client.pipe(upstream).pipe(client);
    }),
  );
  const DATABASE_URL = `postgres://${url.username}@127.0.0.1:${port}${url.pathname}`;
  const ended = await run(["migrate", "check"], { DATABASE_URL });
  expect(ended).toMatchObject({ code: 0, out: expect.stringContaining("starting up: waiting for it") });
  expect(tries).toBeGreaterThan(2);
  await database.drop();
}, 60_000);

test("what is no PostgreSQL is told from one in bounded time, and DATABASE_URL named", async () => {
  const http = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
  const ended = await run(["migrate"], { DATABASE_URL: `postgres://u@127.0.0.1:${http.port}/x` });
  expect(ended).toMatchObject({
    code: 1,
    err: expect.stringContaining("No PostgreSQL to use at DATABASE_URL"),
  });
  await http.stop(true);
  const silent = createServer(() => {});
  const url = `postgres://u@127.0.0.1:${await listen(silent)}/x`;
  const database = await openDatabase({ ...config, databaseUrl: url }, silentLog, { owner: "share" });
  const reached = reachDatabase({ databaseDirectUrl: url }, database, silentLog, 50);
  await expect(reached).rejects.toMatchObject({
    message: "No PostgreSQL to use at DATABASE_URL",
    cause: { message: "no answer within 50 ms" },
  });
  await database.close();
}, 60_000);

test("where no serve has been, operators' scripts say so and make nothing", async () => {
  const DATA_DIR = join(temporaryFolder(), "mistyped");
  for (const args of [["token"], ["keys", "list"], ["stats"]]) {
    const { code, err, out } = await run(["ops", ...args], { DATA_DIR });
    expect([args, code, out, err]).toEqual([args, 2, "", expect.stringContaining(`in DATA_DIR ${DATA_DIR}`)]);
  }
  expect(existsSync(DATA_DIR)).toBe(false);
}, 30_000);
