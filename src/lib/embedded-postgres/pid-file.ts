/** `postmaster.pid`, as PostgreSQL writes it (miscadmin.h, LOCK_FILE_LINE_*), and the process that it names. */
import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";
import { basename, join } from "node:path";

export type PidFile = { pid: number; socketDir: string; ready: boolean };

/** Above what any kernel hands out, so that PostgreSQL finds nobody behind it. */
const NOBODY = 2_147_483_646;

export function readPidFile(clusterDir: string): PidFile | null {
  let lines: string[];
  try {
    lines = readFileSync(join(clusterDir, "postmaster.pid"), "utf8").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return { pid, socketDir: lines[4] ?? "", ready: lines[7]?.trim() === "ready" };
}

/** The server that runs on the cluster now; null when there is none, whatever a stale file says. */
export function findPostmaster(clusterDir: string): PidFile | null {
  const file = readPidFile(clusterDir);
  return file && isPostmaster(file.pid, clusterDir) ? file : null;
}

/** False for a zombie too. */
export function isAlive(pid: number): boolean {
  return isTaken(pid) && (process.platform !== "linux" || commandLine(pid).length > 0);
}

/** What PostgreSQL itself looks at: a process has the pid, be it a zombie that nobody has reaped. */
function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * PostgreSQL refuses to start while the pid in a stale file is taken, be it by something else or by a zombie. The file
 * itself must stay: by its shared memory key the server makes sure that no old backend still writes.
 */
export function disownStalePid(clusterDir: string): void {
  const file = readPidFile(clusterDir);
  if (!file || !isTaken(file.pid) || isPostmaster(file.pid, clusterDir)) return;
  const path = join(clusterDir, "postmaster.pid");
  const rest = readFileSync(path, "utf8").split("\n").slice(1);
  const handle = openSync(path, constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW);
  try {
    writeSync(handle, [NOBODY, ...rest].join("\n"));
  } finally {
    closeSync(handle);
  }
}

function isPostmaster(pid: number, clusterDir: string): boolean {
  const [program = "", ...args] = commandLine(pid);
  if (process.platform !== "linux") return `${program} `.includes(`/postgres -D ${clusterDir} `);
  return basename(program) === "postgres" && args.includes(clusterDir);
}

/** Empty when there is no such process; one string on macOS, whose `ps` doesn't part the arguments. */
function commandLine(pid: number): string[] {
  if (process.platform !== "linux") {
    const { stdout } = Bun.spawnSync(["ps", "-ww", "-o", "command=", "-p", String(pid)]);
    return stdout.toString().trim().split("\n").filter(Boolean);
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
  } catch {
    return [];
  }
}
