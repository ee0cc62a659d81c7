/**
 * Who may start and stop the one server of a home, agreed between processes by three locks (file-lock.ts):
 *
 * - `serve`, exclusive, held by a `serve` for life: there is one at most.
 * - `control`, exclusive, held for as long as it takes to start, join, restart or stop the server. Everything
 *   below happens under it, so nothing is ever decided by two at once.
 * - `users`, shared, held by each process for as long as it uses the server.
 *
 * Coming in, who can have `users` exclusively is alone: a server found running is an orphan of a process that
 * was killed, and is stopped before a new one is started. Who can't, joins the server, or starts it again if it
 * died. Going out, who can have `users` exclusively was the last, and stops the server, whoever started it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../log.ts";
import { type FileLock, tryLock } from "./file-lock.ts";
import { giveTo, type Home, type LOCKS } from "./home.ts";
import { findPostmaster } from "./pid-file.ts";
import { bootPostmaster, joinPostmaster, type Postmaster, stopPostmaster } from "./postmaster.ts";
import { removeShortSocketDir } from "./socket-dir.ts";

/** Longer than unpacking and initdb take on a slow disk. */
const CONTROL_WAIT_MS = 120_000;

function lockPath(home: Home, name: (typeof LOCKS)[number]): string {
  return join(home.locksDir, name);
}

/** @throws when another `serve` has it. */
export function claimServe(home: Home): FileLock {
  const lock = tryLock(lockPath(home, "serve"), "exclusive");
  const pidPath = join(home.dir, "serve.pid");
  if (!lock) {
    throw new Error(
      `another posthorn serve (pid ${readOr(pidPath, "unknown")}) is running on DATA_DIR ${home.dataDir}`,
    );
  }
  writeFileSync(pidPath, `${process.pid}\n`);
  giveTo(pidPath, home.owner);
  return lock;
}

export type Membership = {
  postmaster: Postmaster;
  startedHere: boolean;
  leave(): Promise<void>;
  /** For a process that is about to exit without `leave()`. */
  abandon(): void;
};

/** Starts or joins the server, and registers as one of its users until `leave()`. */
export async function enter(home: Home, durable: boolean, log: Logger): Promise<Membership> {
  const usersPath = lockPath(home, "users");
  return underControl(home, log, async () => {
    const alone = tryLock(usersPath, "exclusive");
    try {
      if (alone && findPostmaster(home.clusterDir)) {
        log.warn("stopping the PostgreSQL that a killed process left running");
        await stopPostmaster(home, log);
      }
      const entry = await joinOrBoot(home, durable, log);
      alone?.release();
      const user = tryLock(usersPath, "shared");
      if (!user) throw new Error(`${usersPath} is locked by something else`);
      return { ...entry, leave: () => leave(home, user, log), abandon: () => abandon(home, user) };
    } finally {
      alone?.release();
    }
  });
}

/** Brings back a server that died, unless another process has done so already. */
export function reenter(home: Home, durable: boolean, log: Logger): Promise<Postmaster> {
  return underControl(home, log, async () => (await joinOrBoot(home, durable, log)).postmaster);
}

async function joinOrBoot(home: Home, durable: boolean, log: Logger) {
  const joined = await joinPostmaster(home, log);
  if (joined) return { postmaster: joined, startedHere: false };
  return { postmaster: await bootPostmaster(home, durable, log), startedHere: true };
}

function leave(home: Home, user: FileLock, log: Logger): Promise<void> {
  return underControl(home, log, async () => {
    user.release();
    const last = tryLock(lockPath(home, "users"), "exclusive");
    if (!last) return;
    try {
      await stopPostmaster(home, log);
      removeShortSocketDir(home);
    } finally {
      last.release();
    }
  });
}

/**
 * Tells the server to stop when this was the last process to use it, and waits for nothing. Whoever comes in
 * meanwhile finds an orphan, and waits for its end.
 */
function abandon(home: Home, user: FileLock): void {
  const control = tryLock(lockPath(home, "control"), "exclusive");
  if (!control) return;
  user.release();
  const last = tryLock(lockPath(home, "users"), "exclusive");
  const running = last && findPostmaster(home.clusterDir);
  if (running) process.kill(running.pid, "SIGINT");
}

async function underControl<T>(home: Home, log: Logger, work: () => Promise<T>): Promise<T> {
  const path = lockPath(home, "control");
  const deadline = performance.now() + CONTROL_WAIT_MS;
  let lock = tryLock(path, "exclusive");
  if (!lock) log.debug("waiting for another process that starts or stops PostgreSQL");
  while (!lock) {
    if (performance.now() > deadline) {
      throw new Error(`another process has been starting or stopping PostgreSQL in ${home.dir} for too long`);
    }
    await Bun.sleep(10 + Math.random() * 20);
    lock = tryLock(path, "exclusive");
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return otherwise;
  }
}
