/**
 * Where embedded PostgreSQL lives and as whom it runs.
 *
 *     DATA_DIR/postgres/     the home, unless PostgreSQL's user can't walk there (see `elsewhere`)
 *       data/                the cluster
 *       socket/              the Unix socket, unless its path would be too long
 *       log/                 PostgreSQL's own log, a file per weekday
 *       locks/               see session.ts
 *       runtime/<release>/   the unpacked programs
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Logger } from "../log.ts";

export type UserIds = { uid: number; gid: number };

export type Home = {
  dir: string;
  clusterDir: string;
  socketDir: string;
  logDir: string;
  locksDir: string;
  runtimesDir: string;
  /** What `DATA_DIR` is, for messages. */
  dataDir: string;
  /** Whom `DATA_DIR` belongs to: who may be the next to start PostgreSQL. */
  owner: UserIds;
  /** Whom PostgreSQL runs as; null: as this process. */
  runAs: UserIds | null;
};

/** `nobody` nearly everywhere; PostgreSQL refuses to run as root. */
const UNPRIVILEGED: UserIds = { uid: 65534, gid: 65534 };

export const LOCKS = ["serve", "control", "users"] as const;

const ELSEWHERE = "/var/lib/posthorn";

/**
 * Makes the home's folders and says where they are. The same `dataDir` gives the same home, whoever asks and
 * whatever has happened to permissions since.
 * @throws a sentence for the operator when this user can't use the folder.
 */
export function prepareHome(dataDir: string, log: Logger): Home {
  try {
    mkdirSync(resolve(dataDir), { recursive: true });
    const real = realpathSync(dataDir);
    const owner = ownerOf(real);
    const pointer = join(real, "postgres.location");
    let dir = existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : join(real, "postgres");
    const runAs = process.getuid?.() === 0 ? unprivileged(dir, owner) : null;
    const cluster = join(dir, "data");
    if (process.getuid?.() !== 0 && existsSync(cluster) && ownerOf(cluster).uid !== process.getuid?.()) {
      throw new Error(`it belongs to uid ${ownerOf(cluster).uid}: run as that user, or as root`);
    }
    if (!existsSync(pointer) && !canReach(real, runAs)) {
      if (existsSync(cluster)) {
        throw new Error(
          `uid ${runAs?.uid}, as which PostgreSQL runs, can't reach it: check the permissions above it`,
        );
      }
      dir = elsewhere(real, pointer, log);
    }
    const home: Home = {
      dir,
      clusterDir: join(dir, "data"),
      socketDir: join(dir, "socket"),
      logDir: join(dir, "log"),
      locksDir: join(dir, "locks"),
      runtimesDir: join(dir, "runtime"),
      dataDir: real,
      owner,
      runAs,
    };
    makeFolder(dir, 0o755, owner);
    makeFolder(home.locksDir, 0o700, owner);
    for (const name of LOCKS) makeFile(join(home.locksDir, name), owner);
    makeFolder(home.logDir, 0o700, runAs);
    return home;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Embedded PostgreSQL can't use DATA_DIR ${dataDir}: ${reason}`, { cause: error });
  }
}

/** Whether a first start has been on `dataDir`. Makes nothing. */
export function hasCluster(dataDir: string): boolean {
  const pointer = join(dataDir, "postgres.location");
  const dir = existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : join(dataDir, "postgres");
  return existsSync(join(dir, "data"));
}

/** Makes the folder, owned by `owner` when root makes it. */
export function makeFolder(path: string, mode: number, owner: UserIds | null): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  if (owner) giveTo(path, owner);
}

/** Leaves an existing one unopened, as file-lock.ts demands. */
function makeFile(path: string, owner: UserIds): void {
  if (existsSync(path)) return;
  writeFileSync(path, "", { flag: "a", mode: 0o600 });
  giveTo(path, owner);
}

/** Hands over what root made; as anyone else there is nothing to hand over. */
export function giveTo(path: string, owner: UserIds): void {
  if (process.getuid?.() === 0) chownSync(path, owner.uid, owner.gid);
}

/** Whether the user may walk to the path, by the mode bits of it and of all above it; null (this process): yes. */
export function canReach(path: string, user: UserIds | null): boolean {
  if (!user) return true;
  for (let at = realpathSync(path); ; at = dirname(at)) {
    const { uid, gid, mode } = statSync(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if (!(mode & bit)) return false;
    if (at === dirname(at)) return true;
  }
}

/** A cluster stays with its owner, a folder that somebody owns is used as that somebody. */
function unprivileged(dir: string, owner: UserIds): UserIds {
  const cluster = join(dir, "data");
  if (existsSync(cluster) && ownerOf(cluster).uid !== 0) return ownerOf(cluster);
  return owner.uid === 0 ? UNPRIVILEGED : owner;
}

/**
 * Root's `DATA_DIR` may stand under a folder that only root may enter, like /root. The first to come makes a
 * folder and leaves its path in `DATA_DIR`, so that who removes `DATA_DIR` starts afresh.
 */
function elsewhere(dataDir: string, pointer: string, log: Logger): string {
  mkdirSync(ELSEWHERE, { recursive: true });
  chmodSync(ELSEWHERE, 0o755);
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 12);
  const dir = mkdtempSync(join(ELSEWHERE, `${name}-`));
  chmodSync(dir, 0o755);
  const writing = `${pointer}.${process.pid}`;
  writeFileSync(writing, `${dir}\n`);
  try {
    linkSync(writing, pointer);
    log.info({ dataDir, dir }, "only root can enter DATA_DIR, so PostgreSQL's files live elsewhere");
    return dir;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    rmdirSync(dir);
    return readFileSync(pointer, "utf8").trim();
  } finally {
    unlinkSync(writing);
  }
}

function ownerOf(path: string): UserIds {
  const { uid, gid } = lstatSync(path);
  return { uid, gid };
}
