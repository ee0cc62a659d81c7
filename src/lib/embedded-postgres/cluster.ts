import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import type { Logger } from "../log.ts";
import { archive } from "./archive.ts";
import { unpackFolder } from "./folder-pack.ts";
import { giveTo, type Home, makeFolder } from "./home.ts";
import { runProgram } from "./program.ts";
import { DATABASE, SOCKET_PORT, SUPERUSER } from "./settings.ts";

/** The major version of the programs carried along. */
const MAJOR = "18";

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
  // Where Linux has no shared memory here, initdb chooses another kind.
  const fits = process.platform !== "linux" || existsSync("/dev/shm");
  if (archive?.cluster && fits) await unpackCluster(archive.cluster, making, runtime, home, durable);
  else await initialize(making, runtime, home, durable);
  renameSync(making, home.clusterDir);
  log.info({ dir: home.clusterDir, ms: Math.round(performance.now() - started) }, "PostgreSQL cluster made");
}

/**
 * Takes the cluster that the build has made: initdb takes longer than all else at the first start. All that came out of
 * one build share a system identifier; it is there to tell replicas apart, and these have none: they listen on a
 * socket only.
 */
async function unpackCluster(
  packed: string,
  making: string,
  runtime: string,
  home: Home,
  durable: boolean,
): Promise<void> {
  await unpackFolder(Bun.file(packed), making);
  for (const entry of readdirSync(making, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, entry.isDirectory() ? 0o700 : 0o600);
    if (home.runAs) giveTo(path, home.runAs);
  }
  if (durable) await runProgram(join(runtime, "bin/initdb"), ["--sync-only", "-D", making], home);
}

async function initialize(making: string, runtime: string, home: Home, durable: boolean): Promise<void> {
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
  try {
    await runProgram(join(runtime, "bin/initdb"), args, home);
  } catch (error) {
    if (!String(error).includes("could not look up effective user ID")) throw error;
    throw new Error(
      `uid ${process.getuid?.()} has no entry in /etc/passwd, and PostgreSQL's initdb demands one: ` +
        "run as a user that has one, or set DATABASE_URL",
      { cause: error },
    );
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
