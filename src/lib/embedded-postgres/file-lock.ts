/**
 * Locks between processes that the kernel drops when their holder dies, kill -9 included: no stale pid files,
 * no race between two starters. A lock is SQLite's own lock on an empty file, which is `fcntl` underneath;
 * Bun has no other way to one without FFI.
 *
 * Never open a lock file by other means: closing any descriptor of it drops the whole process's `fcntl` locks.
 */
import { Database } from "bun:sqlite";

export type FileLock = { release(): void };

/** Keeps handles reachable: a collected `Database` closes its file and with it loses the lock. */
const held = new Set<Database>();

/**
 * Takes the lock if it is free, without waiting. Shared holders exclude an exclusive one and the reverse,
 * also within one process.
 * @returns null when another holder is in the way.
 */
export function tryLock(path: string, mode: "shared" | "exclusive"): FileLock | null {
  const file = new Database(path, { create: true, readwrite: true });
  try {
    file.run("PRAGMA busy_timeout = 0");
    // SQLite opens its journal with the lock, and on a full disk it can't: then nobody could stop PostgreSQL.
    file.run("PRAGMA journal_mode = MEMORY");
    file.run(mode === "exclusive" ? "BEGIN EXCLUSIVE" : "BEGIN");
    if (mode === "shared") readOnce(file);
  } catch (error) {
    file.close();
    if (isBusy(error)) return null;
    throw new Error(`Can't lock ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  held.add(file);
  return {
    release() {
      if (!held.delete(file)) return;
      file.run("ROLLBACK");
      file.close();
    },
  };
}

/** A read inside a transaction takes SQLite's shared lock, which stays until the transaction ends. */
function readOnce(file: Database): void {
  const statement = file.prepare("SELECT count(*) FROM sqlite_master");
  try {
    statement.get();
  } finally {
    statement.finalize();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
}
