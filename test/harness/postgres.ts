/**
 * One throwaway PostgreSQL for the whole run, started by the first test that asks, and one database a test file,
 * copied from a template that has all migrations. preload.ts stops it.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type postgres from "postgres";
import { connect } from "../../src/database.ts";
import {
  type EmbeddedPostgres,
  socketUrl,
  startEmbeddedPostgres,
} from "../../src/lib/embedded-postgres/index.ts";
import { findPostmaster } from "../../src/lib/embedded-postgres/pid-file.ts";
import { createRepos } from "../../src/repos/index.ts";
import { bringUpToDate } from "../../src/services/schema.ts";

export const silent = pino({ level: "silent" });

export type TestDatabase = {
  /** Good for `DATABASE_URL`, also of another process. */
  url: string;
  sql: postgres.Sql;
  /** Ends `sql` and removes the database, whoever is connected to it still. */
  drop(): Promise<void>;
};

const TEMPLATE = "template_migrated";
const PREFIX = "posthorn-test-";

type Running = { server: EmbeddedPostgres; admin: postgres.Sql; folder: string };

let running: Promise<Running> | null = null;
let folderInUse: string | null = null;
let created = 0;

/** The run's server, started at the first call. */
export async function testPostgres(): Promise<EmbeddedPostgres> {
  return (await start()).server;
}

/** A database of its own. @param options `migrated: false` for an empty one. */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const { server, admin } = await start();
  created += 1;
  const database = `test_${created}`;
  await admin`CREATE DATABASE ${admin(database)} TEMPLATE ${admin(migrated ? TEMPLATE : "template0")}`;
  const url = socketUrl({ ...server, database });
  const sql = connect(url, { max: 10, prepare: true, applicationName: "posthorn test" });
  return {
    url,
    sql,
    async drop() {
      await sql.end({ timeout: 1 });
      await admin`DROP DATABASE IF EXISTS ${admin(database)} WITH (FORCE)`;
    },
  };
}

/** A folder under the system's temporary one that PostgreSQL's user can enter, removed at the end of the run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** Stops the server, if one was started, and removes this run's temporary folders. */
export async function stopTestPostgres(): Promise<void> {
  const stopping = running;
  running = null;
  if (stopping) {
    const { server, admin } = await stopping;
    await admin.end({ timeout: 1 });
    await server.stop();
  }
  removeFolders(process.pid);
}

/** For a run that ends without its `afterAll`: leaves no server behind. */
export function killTestPostgres(): void {
  const server = folderInUse && findPostmaster(join(folderInUse, "postgres/data"));
  if (server) process.kill(server.pid, "SIGQUIT");
  removeFolders(process.pid);
}

function start(): Promise<Running> {
  running ??= startOnce();
  return running;
}

async function startOnce(): Promise<Running> {
  removeAbandoned();
  const folder = temporaryFolder();
  folderInUse = folder;
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    log: silent,
    owner: "share",
    durable: false,
  });
  const admin = connect(socketUrl(server), { max: 2, prepare: false, applicationName: "posthorn test" });
  await admin`CREATE DATABASE ${admin(TEMPLATE)} TEMPLATE template0`;
  const template = connect(socketUrl({ ...server, database: TEMPLATE }), {
    max: 1,
    prepare: false,
    applicationName: "posthorn test",
  });
  await bringUpToDate(template, createRepos(template), silent);
  await template.end();
  return { server, admin, folder };
}

/** What runs left that were killed: their servers and folders. */
function removeAbandoned(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!pid || isRunning(pid)) continue;
    const server = findPostmaster(join(tmpdir(), name, "postgres/data"));
    if (server) process.kill(server.pid, "SIGQUIT");
    removeFolders(pid);
  }
}

function removeFolders(pid: number): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(`${PREFIX}${pid}-`)) continue;
    // A server that is only just quitting may still write: the next run sweeps what that leaves.
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {}
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
