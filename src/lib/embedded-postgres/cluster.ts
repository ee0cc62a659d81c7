import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import type { Logger } from "../log.ts";
import { archive } from "./archive.ts";
import { giveTo, type Home, makeFolder } from "./home.ts";
import { unpackFolder } from "./packed-folder.ts";
import { runProgram } from "./program.ts";
import { DATABASE, SOCKET_PORT, SUPERUSER } from "./settings.ts";

/** The major version of the programs carried along. */
const MAJOR = "18";

/** A file system writes for several at once what it writes for one. */
const SYNCS_AT_ONCE = 16;

/**
 * Makes the cluster if there is none; a half-made one never carries its name. Call it under the control lock.
 * @throws when the folder holds another major version's data.
 */
export async function provideCluster(
  home: Home,
  runtime: string,
  durable: boolean,
  log: Logger,
): Promise<void> {
  const versionFile = join(home.clusterDir, "PG_VERSION");
  if (existsSync(versionFile)) {
    const version = readFileSync(versionFile, "utf8").trim();
    if (version === MAJOR) return;
    throw new Error(
      `${home.clusterDir} holds data of PostgreSQL ${version}, and this release carries ${MAJOR}: ` +
        "dump it with the release that wrote it, or set DATABASE_URL.",
    );
  }
  const started = performance.now();
  const making = `${home.clusterDir}.initializing`;
  rmSync(making, { recursive: true, force: true });
  makeFolder(making, 0o700, home.runAs);
  const packed = archive?.clusterPath;
  // initdb chooses another kind of shared memory where this one is missing.
  const unpacking = packed && (process.platform !== "linux" || existsSync("/dev/shm"));
  if (unpacking) await unpackCluster(packed, making, home, durable);
  else await initialize(making, home, runtime, durable);
  renameSync(making, home.clusterDir);
  if (durable) await sync(home.dir);
  log.info({ dir: home.clusterDir, ms: Math.round(performance.now() - started) }, "PostgreSQL cluster made");
}

async function initialize(making: string, home: Home, runtime: string, durable: boolean): Promise<void> {
  const args = [
    "-D",
    making,
    "-U",
    SUPERUSER,
    "--encoding=UTF8",
    "--locale=C",
    "--auth=trust",
    "--no-instructions",
  ];
  if (!durable) args.push("--no-sync");
  await runProgram(join(runtime, "bin/initdb"), args, home);
}

/**
 * The cluster that the build made, database included. All clusters of one build have the same system identifier.
 * It tells clusters apart where one gets another's log, from a replica or an archive, and we have neither.
 */
async function unpackCluster(packed: string, making: string, home: Home, durable: boolean): Promise<void> {
  await unpackFolder(packed, making, true);
  const made = readdirSync(making, { recursive: true }).map((name) => join(making, String(name)));
  for (const path of made) if (home.runAs) giveTo(path, home.runAs);
  if (!durable) return;
  for (let at = 0; at < made.length; at += SYNCS_AT_ONCE) {
    await Promise.all(made.slice(at, at + SYNCS_AT_ONCE).map(sync));
  }
  await sync(making);
}

/** A file's content, or a folder's names, to the disk. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the database if it isn't there: a kill between initdb and here leaves a cluster without it. */
export async function provideDatabase(socketDir: string): Promise<void> {
  const sql = postgres({
    host: socketDir,
    port: SOCKET_PORT,
    path: `${socketDir}/.s.PGSQL.${SOCKET_PORT}`,
    user: SUPERUSER,
    database: "postgres",
    ssl: false,
    max: 1,
    fetch_types: false,
    onnotice: () => {},
  });
  try {
    const [existing] = await sql`SELECT 1 FROM pg_database WHERE datname = ${DATABASE}`;
    if (!existing) await sql`CREATE DATABASE ${sql(DATABASE)}`;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
