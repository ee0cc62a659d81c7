import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { giveTo, type Home, makeFolder } from "./home.ts";
import { SOCKET_PORT } from "./settings.ts";

/** `sockaddr_un` holds 107 bytes of path on Linux and 103 on macOS. */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Makes the folder of the Unix socket, which only PostgreSQL's user and root may enter: that is all the
 * authentication there is. Under a deep `DATA_DIR` it is a short folder in /tmp, remembered in the home, so
 * that a restarted server comes back where its clients look for it.
 */
export function provideSocketDir(home: Home): string {
  const path = join(home.socketDir, `.s.PGSQL.${SOCKET_PORT}`);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) {
    makeFolder(home.socketDir, 0o700, home.runAs);
    return home.socketDir;
  }
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
