import { join } from "node:path";
import type { Logger } from "../log.ts";
import { provideCluster, provideDatabase } from "./cluster.ts";
import type { Home } from "./home.ts";
import { disownStalePid, findPostmaster, isAlive, readPidFile } from "./pid-file.ts";
import { ended, lastOutput, startProgram } from "./program.ts";
import { provideRuntime } from "./runtime.ts";
import { serverSettings } from "./settings.ts";
import { provideSocketDir } from "./socket-dir.ts";

/** A running server. `exited` resolves, with a reason, when its process is gone; it never rejects. */
export type Postmaster = { pid: number; socketDir: string; exited: Promise<string> };

/** Fast shutdown rolls back what is open and writes a checkpoint; past this the server is told to quit as it is. */
const FAST_STOP_MS = 10_000;
const IMMEDIATE_STOP_MS = 5_000;

const BACKENDS_LINGER_MS = 10_000;

/** A server that was killed replays its log first, which may take minutes: that long it is only reported. */
const REPORT_WAIT_MS = 5_000;

/** Starts a server on the home's cluster, making that first if need be. Call it under the control lock, with none running. */
export async function bootPostmaster(home: Home, durable: boolean, log: Logger): Promise<Postmaster> {
  const started = performance.now();
  const runtime = await provideRuntime(home, log);
  await provideCluster(home, runtime, durable, log);
  disownStalePid(home.clusterDir);
  const socketDir = provideSocketDir(home);
  const settings = Object.entries(serverSettings(home, socketDir, durable));
  const args = ["-D", home.clusterDir, ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  const running = await startPatiently(home, join(runtime, "bin/postgres"), args, log);
  try {
    await provideDatabase(socketDir);
  } catch (error) {
    await stopPostmaster(home, log).catch((failure) =>
      log.error({ err: failure }, "PostgreSQL is left running"),
    );
    throw error;
  }
  const ms = Math.round(performance.now() - started);
  log.info({ postgresPid: running.pid, socketDir, ms }, "PostgreSQL started");
  return { ...running, socketDir };
}

/** After a kill -9 of a server its backends hold the shared memory until they notice, for a moment. */
async function startPatiently(home: Home, program: string, args: string[], log: Logger) {
  const deadline = performance.now() + BACKENDS_LINGER_MS;
  for (;;) {
    const child = startProgram(program, args, home);
    const exited = ended(child);
    if (child.pid === undefined) throw new Error(`PostgreSQL can't be started: ${await exited}`);
    try {
      await readiness(home, child.pid, exited, log);
      return { pid: child.pid, exited };
    } catch (error) {
      const lingering = lastOutput(home, child.pid).includes("pre-existing shared memory block");
      if (!lingering || performance.now() > deadline) throw error;
      await Bun.sleep(100);
    }
  }
}

/** Uses the server that another process started; null when none runs. */
export async function joinPostmaster(home: Home, log: Logger): Promise<Postmaster | null> {
  const running = findPostmaster(home.clusterDir);
  if (!running) return null;
  const exited = goneWhenPolled(running.pid);
  await readiness(home, running.pid, exited, log);
  return { pid: running.pid, socketDir: running.socketDir, exited };
}

/**
 * Stops whatever server runs on the cluster: fast, and past a deadline immediately, which loses nothing
 * either but makes the next start replay the log.
 * @throws when it outlives both.
 */
export async function stopPostmaster(home: Home, log: Logger): Promise<void> {
  const running = findPostmaster(home.clusterDir);
  if (!running) return;
  for (const [signal, deadlineMs] of [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", IMMEDIATE_STOP_MS],
  ] as const) {
    if (signal === "SIGQUIT")
      log.warn({ postgresPid: running.pid }, "PostgreSQL doesn't stop: telling it to quit");
    if (isAlive(running.pid)) process.kill(running.pid, signal);
    const deadline = performance.now() + deadlineMs;
    while (performance.now() < deadline) {
      if (!isAlive(running.pid)) return;
      await Bun.sleep(5);
    }
  }
  throw new Error(`PostgreSQL (pid ${running.pid}) doesn't stop`);
}

async function readiness(home: Home, pid: number, exited: Promise<string>, log: Logger): Promise<void> {
  let end: string | null = null;
  void exited.then((reason) => {
    end = reason;
  });
  let reportAt = performance.now() + REPORT_WAIT_MS;
  for (;;) {
    const file = readPidFile(home.clusterDir);
    if (file?.pid === pid && file.ready) return;
    if (end) throw new Error(`PostgreSQL ended while starting (${end}): ${lastOutput(home, pid)}`);
    if (performance.now() > reportAt) {
      log.info({ postgresPid: pid }, "PostgreSQL isn't ready yet: it may be recovering");
      reportAt += REPORT_WAIT_MS;
    }
    await Bun.sleep(5);
  }
}

/** Another process's child can't be waited for, only looked at. */
async function goneWhenPolled(pid: number): Promise<string> {
  while (isAlive(pid)) await new Promise<void>((resolve) => setTimeout(resolve, 250).unref());
  return "gone";
}
