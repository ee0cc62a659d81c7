import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/database.ts";
import {
  type EmbeddedPostgres,
  socketUrl,
  startEmbeddedPostgres,
} from "../../src/lib/embedded-postgres/index.ts";
import { findPostmaster, isAlive } from "../../src/lib/embedded-postgres/pid-file.ts";
import { silent, temporaryFolder } from "../harness/postgres.ts";

setDefaultTimeout(60_000);

const children: Bun.Subprocess[] = [];
const folders: string[] = [];

/** Whatever a failed test left: only what was started here. */
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  for (const folder of folders) {
    const server = postmaster(folder);
    if (server) process.kill(server.pid, "SIGQUIT");
  }
});

function dataDir(...below: string[]): string {
  const folder = join(temporaryFolder(), ...below);
  mkdirSync(folder, { recursive: true });
  folders.push(folder);
  return folder;
}

const postmaster = (folder: string) => findPostmaster(join(folder, "postgres/data"));

/** Not durable unless a crash is to be survived: a throwaway cluster starts sooner. */
const start = (folder: string, owner: "serve" | "share", durable = false) =>
  startEmbeddedPostgres({ dataDir: folder, owner, log: silent, durable });

/** The server from a process of its own, ready. */
async function hold(folder: string, owner: "serve" | "share", durable = false) {
  const program = Bun.fileURLToPath(import.meta.resolve("../harness/hold-postgres.ts"));
  const child = Bun.spawn(["bun", program, folder, owner, ...(durable ? ["durable"] : [])], {
    stdout: "pipe",
    stderr: "pipe",
  });
  children.push(child);
  for await (const chunk of child.stdout) return { child, server: JSON.parse(Buffer.from(chunk).toString()) };
  throw new Error(`it ended: ${await new Response(child.stderr).text()}`);
}

async function query(server: EmbeddedPostgres, text: string): Promise<Record<string, unknown>[]> {
  const sql = connect(socketUrl(server), { max: 1, prepare: false, applicationName: "test" });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await what())) {
    if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await Bun.sleep(20);
  }
}

describe("starting and stopping", () => {
  test("keeps the data over a restart, listens on no TCP port, and leaves no process behind", async () => {
    const folder = dataDir();
    const first = await start(folder, "serve");
    await query(first, "CREATE TABLE kept AS SELECT 7 AS value");
    expect(await query(first, "SHOW listen_addresses")).toEqual([{ listen_addresses: "" }]);
    expect(statSync(first.socketDir).mode & 0o077).toBe(0);
    const pid = postmaster(folder)?.pid ?? 0;
    await first.stop();
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    const second = await start(folder, "serve");
    expect(await query(second, "SELECT value FROM kept")).toEqual([{ value: 7 }]);
    await second.stop();
  });

  test("a path too long for a socket gets a short private folder, gone afterwards", async () => {
    const folder = dataDir("a-rather-long-name".repeat(6));
    const server = await start(folder, "share");
    expect(server.socketDir).toStartWith("/tmp/posthorn-");
    expect(statSync(server.socketDir).mode & 0o077).toBe(0);
    expect(await query(server, "SELECT 1")).toHaveLength(1);
    await server.stop();
    expect(existsSync(server.socketDir)).toBe(false);
  });

  test("refuses another major version's data and touches nothing", async () => {
    const folder = dataDir();
    mkdirSync(join(folder, "postgres/data"), { recursive: true });
    writeFileSync(join(folder, "postgres/data/PG_VERSION"), "17\n");
    await expect(start(folder, "serve")).rejects.toThrow(
      "holds data of PostgreSQL 17, and this release carries 18",
    );
    expect(readFileSync(join(folder, "postgres/data/PG_VERSION"), "utf8")).toBe("17\n");
  });
});

describe("several processes", () => {
  test("a second serve is refused by the first one's pid, and allowed once that is gone", async () => {
    const folder = dataDir();
    const { child } = await hold(folder, "serve");
    await expect(start(folder, "serve")).rejects.toThrow(
      `another posthorn serve (pid ${child.pid}) is running on DATA_DIR ${folder}`,
    );
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await (await start(folder, "serve")).stop();
  });

  test("the last one out stops the server, whoever started it", async () => {
    const folder = dataDir();
    const { child } = await hold(folder, "share");
    const serve = await start(folder, "serve");
    expect(serve.startedHere).toBe(false);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await query(serve, "SELECT 1")).toHaveLength(1);
    await serve.stop();
    expect(postmaster(folder)).toBeNull();
  });

  test("sixteen at once on an empty folder all get the one server, and leave none", async () => {
    const folder = dataDir();
    const held = await Promise.all(Array.from({ length: 16 }, () => hold(folder, "share")));
    expect(new Set(held.map(({ server }) => server.socketDir)).size).toBe(1);
    for (const { child } of held) child.kill("SIGTERM");
    expect(await Promise.all(held.map(({ child }) => child.exited))).toEqual(Array(16).fill(0));
    expect(postmaster(folder)).toBeNull();
  });
});

describe("kill -9", () => {
  test("of the program: the next one replaces the orphan and finds the data", async () => {
    const folder = dataDir();
    const { child, server } = await hold(folder, "serve", true);
    await query(server, "CREATE TABLE kept AS SELECT 7 AS value");
    const orphan = postmaster(folder)?.pid ?? 0;
    child.kill("SIGKILL");
    await child.exited;
    expect(isAlive(orphan)).toBe(true);
    const next = await start(folder, "serve", true);
    expect(isAlive(orphan)).toBe(false);
    expect(await query(next, "SELECT value FROM kept")).toEqual([{ value: 7 }]);
    await next.stop();
  });

  test("of the server: serve brings it back on the same socket, also one that it joined", async () => {
    const folder = dataDir();
    const share = await hold(folder, "share");
    const serve = await start(folder, "serve");
    for (const _ of ["joined", "its own"]) {
      const killed = postmaster(folder)?.pid ?? 0;
      process.kill(killed, "SIGKILL");
      await until(() => (postmaster(folder)?.pid ?? killed) !== killed && postmaster(folder)?.ready === true);
      expect(await query(serve, "SELECT 1")).toHaveLength(1);
    }
    share.child.kill("SIGTERM");
    await share.child.exited;
    await serve.stop();
    expect(postmaster(folder)).toBeNull();
  });

  test("of both: the next one recovers", async () => {
    const folder = dataDir();
    const { child, server } = await hold(folder, "serve", true);
    await query(server, "CREATE TABLE kept AS SELECT 7 AS value");
    const pid = postmaster(folder)?.pid ?? 0;
    child.kill("SIGKILL");
    process.kill(pid, "SIGKILL");
    await child.exited;
    const next = await start(folder, "serve", true);
    expect(await query(next, "SELECT value FROM kept")).toEqual([{ value: 7 }]);
    await next.stop();
  });

  test("a pid file whose pid is another program's by now neither stops the start nor harms that program", async () => {
    const folder = dataDir();
    await (await start(folder, "share")).stop();
    const other = Bun.spawn(["sleep", "60"]);
    children.push(other);
    const cluster = join(folder, "postgres/data");
    writeFileSync(join(cluster, "postmaster.pid"), `${other.pid}\n${cluster}\n1\n5432\n\n\n1 1\nready\n`);
    const server = await start(folder, "share");
    expect(await query(server, "SELECT 1")).toHaveLength(1);
    await server.stop();
    expect(other.killed || other.exitCode !== null).toBe(false);
    other.kill();
  });
});
