import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { giveTo, type Home, makeFolder } from "./home.ts";
import { SOCKET_PORT } from "./settings.ts";

/** `sockaddr_un` holds 107 bytes of path on Linux and 103 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Makes the folder of the Unix socket, which only PostgreSQL's user and root may enter: that is all the
 * authentication there is. Call it with no server running: it removes the lock file that a killed server left,
 * at which a new one would balk while the pid in it is taken, be it by a zombie.
 */
export function provideSocketDir(home: Home): string {
  const dir = shortEnough(home.socketDir) ? home.socketDir : provideShortDir(home);
  makeFolder(dir, 0o700, home.runAs);
  rmSync(join(dir, `.s.PGSQL.${SOCKET_PORT}.lock`), { force: true });
  return dir;
}

function shortEnough(dir: string): boolean {
  return Buffer.byteLength(join(dir, `.s.PGSQL.${SOCKET_PORT}`)) <= SOCKET_PATH_BYTES_MAX;
}

/** Under a deep `DATA_DIR`: in /tmp, and remembered, so that a restarted server comes back where its clients look. */
function provideShortDir(home: Home): string {
  const remembered = rememberPath(home);
  const previous = existsSync(remembered) ? readFileSync(remembered, "utf8").trim() : null;
  if (previous && isPrivate(previous, home)) return previous;
  const made = mkdtempSync("/tmp/posthorn-");
  if (home.runAs) giveTo(made, home.runAs);
  writeFileSync(remembered, `${made}\n`);
  giveTo(remembered, home.owner);
  return made;
}

/** Removes the folder if it is the short one. */
export function removeShortSocketDir(home: Home): void {
  const remembered = rememberPath(home);
  if (!existsSync(remembered)) return;
  const made = readFileSync(remembered, "utf8").trim();
  if (isPrivate(made, home)) rmSync(made, { recursive: true, force: true });
  rmSync(remembered);
}

/** /tmp belongs to everybody: what has the name may have been put there by somebody else since. */
function isPrivate(path: string, home: Home): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  const uid = home.runAs?.uid ?? process.getuid?.();
  return found?.isDirectory() === true && found.uid === uid && (found.mode & 0o077) === 0;
}

function rememberPath(home: Home): string {
  return join(home.dir, "socket.location");
}
