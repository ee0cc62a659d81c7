/** The compiled executable's processes, as a user would start them: defaults, fsync on, JSON logs to /dev/null. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sql } from "postgres";
import { connect } from "../../src/database.ts";
import { socketUrl } from "../../src/lib/embedded-postgres/index.ts";
import { defaultOrgId, signToken } from "../../src/services/tokens.ts";
import { databaseIn, postmasterIn } from "../harness/binary.ts";
import { temporaryFolder } from "../harness/postgres.ts";

export const jwtSecret = "bench-only-kX3vQ9mW7bTzR5yH2nLpD8sF";
export const orgId = defaultOrgId;
export const token = await signToken({ secret: jwtSecret, subject: orgId, expiresInSeconds: 7 * 86_400 });

export type Program = {
  pid: number;
  port: number;
  /** From its start until it said that it is ready. */
  readyMs: number;
  stop(): Promise<void>;
};

const readyWithinMs = 60_000;
const patienceMs = 3_000;
const stopWithinMs = 40_000;
const running = new Map<Bun.Subprocess, string | null>();

process.on("exit", () => {
  for (const [child, dataDir] of running) {
    child.kill("SIGKILL");
    const postmaster = dataDir !== null && postmasterIn(dataDir);
    if (postmaster) process.kill(postmaster, "SIGQUIT");
  }
});

type Where = { dataDir: string } | { databaseUrl: string };

export async function startProgram(
  binary: string,
  args: string[],
  where: Where,
  ready: { portVariable: string; path: string },
): Promise<Program> {
  const cwd = temporaryFolder();
  const errors = join(cwd, "stderr.log");
  const [out, err] = [openSync("/dev/null", "w"), openSync(errors, "w")];
  const port = freePort();
  const startedAt = performance.now();
  const child = Bun.spawn([binary, ...args], {
    cwd,
    env: { ...environment(where, cwd), [ready.portVariable]: String(port) },
    stdio: ["ignore", out, err],
    onExit: () => void running.delete(child),
  });
  running.set(child, "dataDir" in where ? where.dataDir : null);
  closeSync(out);
  closeSync(err);
  while (!(await answers(`http://127.0.0.1:${port}${ready.path}`))) {
    if (child.exitCode !== null)
      throw new Error(`${args[0]} ended with ${child.exitCode}: ${readFileSync(errors, "utf8")}`);
    if (performance.now() > startedAt + readyWithinMs) throw new Error(`${args[0]} did not become ready`);
    await Bun.sleep(2);
  }
  const readyMs = performance.now() - startedAt;
  return {
    pid: child.pid,
    port,
    readyMs,
    async stop() {
      child.kill("SIGTERM");
      // What hangs need not be waited for.
      const again = setTimeout(() => child.kill("SIGTERM"), patienceMs);
      const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
      await child.exited;
      clearTimeout(again);
      clearTimeout(timer);
    },
  };
}

const environment = (where: Where, home: string): Record<string, string> => ({
  PATH: "/usr/bin:/bin",
  HOME: home,
  HOST: "127.0.0.1",
  JWT_SECRET: jwtSecret,
  EGRESS_ALLOW: "127.0.0.0/8",
  LOG_FORMAT: "json",
  ...("dataDir" in where ? { DATA_DIR: where.dataDir } : { DATABASE_URL: where.databaseUrl }),
});

export const startServe = (binary: string, where: Where): Promise<Program> =>
  startProgram(binary, ["serve"], where, { portVariable: "PORT", path: "/api/v1/health" });
export const startWorker = (binary: string, databaseUrl: string): Promise<Program> =>
  startProgram(binary, ["worker"], { databaseUrl }, { portVariable: "WORKER_PORT", path: "/ready" });

export async function migrate(binary: string, databaseUrl: string): Promise<void> {
  const child = Bun.spawn([binary, "migrate", "up"], {
    env: environment({ databaseUrl }, "/tmp"),
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await child.exited) !== 0) throw new Error("migrate failed");
}

/** What a load goes to, and the PostgreSQL that works for it: both are watched meanwhile. */
export type Served = { serve: Pick<Program, "pid" | "port">; postmaster: number };

/** A `serve` with everything inside, and a way into its PostgreSQL. */
export type Instance = {
  serve: Program;
  databaseUrl: string;
  sql: Sql;
  postmaster: number;
  stop(): Promise<void>;
};

export async function startInstance(binary: string): Promise<Instance> {
  const dataDir = temporaryFolder();
  const serve = await startServe(binary, { dataDir });
  const postmaster = postmasterIn(dataDir);
  if (postmaster === null) throw new Error("serve is ready without its PostgreSQL");
  const databaseUrl = databaseIn(dataDir);
  const sql = connect(databaseUrl, { max: 2, prepare: false, applicationName: "posthorn bench" });
  return {
    serve,
    databaseUrl,
    sql,
    postmaster,
    async stop() {
      await sql.end({ timeout: 1 });
      await serve.stop();
      // A history is gigabytes.
      Bun.spawnSync(["rm", "-rf", dataDir]);
    },
  };
}

/** PostgreSQL alone, as `serve` has it: for processes with DATABASE_URL. */
export async function startPostgres(): Promise<{ databaseUrl: string; stop(): Promise<void> }> {
  const dataDir = temporaryFolder();
  const script = join(import.meta.dir, "../harness/hold-postgres.ts");
  const child = Bun.spawn([process.execPath, script, dataDir, "share", "durable"], {
    stdio: ["ignore", "pipe", "inherit"],
    onExit: () => void running.delete(child),
  });
  running.set(child, dataDir);
  const { value } = await child.stdout.getReader().read();
  if (value === undefined) throw new Error("PostgreSQL did not start");
  return {
    databaseUrl: socketUrl(JSON.parse(new TextDecoder().decode(value)) as Parameters<typeof socketUrl>[0]),
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
