/**
 * A folder in one file, made to be unpacked fast:
 *
 *     4 bytes    length of the index, little-endian
 *     index      JSON, see `Index`
 *     frames     zstd, each holding 1 MiB of the content (the last one the rest)
 *
 * The content is that of all files, one after the other. Frames don't depend on each other, so that several are
 * decompressed at once, each into little memory: fresh memory is what takes time in one large piece.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { dirname, join, relative } from "node:path";

type Index = {
  /** Below the folder, with slashes, the outer ones first. */
  folders: string[];
  /** In the order of their content. Files of the same content share it. */
  contents: { names: string[]; size: number }[];
  /** Packed bytes of each frame. */
  frames: number[];
};

const FRAME_BYTES = 1024 * 1024;
const INDEX_LENGTH_BYTES = 4;
/** More than there are processors to decompress, and little enough memory. */
const FRAMES_AHEAD = 8;

/** The same bytes from the same names and contents. @param keep whether a file goes in, by its name below the folder */
export async function packFolder(
  folder: string,
  keep: (name: string) => boolean,
  level: number,
): Promise<Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => ({
    name: relative(folder, join(entry.parentPath, entry.name)),
    isFile: entry.isFile(),
    isFolder: entry.isDirectory(),
  }));
  const files = entries.filter(({ name, isFile }) => isFile && keep(name)).map(({ name }) => name);
  const folders = entries.filter(({ name, isFolder }) => isFolder && keep(name)).map(({ name }) => name);
  const shared = new Map<string, { names: string[]; bytes: Buffer }>();
  for (const name of files.sort()) {
    const bytes = readFileSync(join(folder, name));
    const digest = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    const found = shared.get(digest);
    if (found) found.names.push(name);
    else shared.set(digest, { names: [name], bytes });
  }
  const contents = [...shared.values()];
  const content = Buffer.concat(contents.map(({ bytes }) => bytes));
  const frames: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += FRAME_BYTES) {
    frames.push(await Bun.zstdCompress(content.subarray(at, at + FRAME_BYTES), { level }));
  }
  const index: Index = {
    folders: [...new Set([...folders, ...files.flatMap(foldersAbove)])].sort(),
    contents: contents.map(({ names, bytes }) => ({ names, size: bytes.length })),
    frames: frames.map(({ length }) => length),
  };
  const text = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(INDEX_LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...frames]);
}

/**
 * Unpacks into an existing folder that has none of the names yet.
 * @param onlyMine whether nobody else may enter or read what is made; else all may read
 */
export async function unpackFolder(path: string, target: string, onlyMine: boolean): Promise<void> {
  const packed = Buffer.from(await Bun.file(path).arrayBuffer());
  const indexEnd = INDEX_LENGTH_BYTES + packed.readUInt32LE();
  const index: Index = JSON.parse(packed.toString("utf8", INDEX_LENGTH_BYTES, indexEnd));
  for (const folder of index.folders) mkdirSync(join(target, folder), { mode: onlyMine ? 0o700 : 0o755 });
  const frames = decompress(packed, indexEnd, index.frames);
  const mode = onlyMine ? 0o600 : 0o644;
  let frame: Uint8Array = new Uint8Array();
  for (const { names, size } of index.contents) {
    const handles = names.map((name) => openSync(join(target, name), "wx", mode));
    try {
      for (let left = size; left > 0; ) {
        if (frame.length === 0) frame = await nextFrame(frames, path);
        const part = frame.subarray(0, left);
        for (const handle of handles) writeAll(handle, part);
        frame = frame.subarray(part.length);
        left -= part.length;
      }
    } finally {
      for (const handle of handles) closeSync(handle);
    }
  }
}

/** In order, some of them ahead of who asks. */
async function* decompress(packed: Buffer, from: number, lengths: number[]): AsyncGenerator<Uint8Array> {
  const ahead: Promise<Uint8Array>[] = [];
  let at = from;
  for (const length of lengths) {
    ahead.push(Bun.zstdDecompress(packed.subarray(at, at + length)));
    at += length;
    if (ahead.length === FRAMES_AHEAD) yield ahead.shift() as Promise<Uint8Array>;
  }
  yield* ahead;
}

async function nextFrame(frames: AsyncGenerator<Uint8Array>, path: string): Promise<Uint8Array> {
  const { value, done } = await frames.next();
  if (done) throw new Error(`${path} ends too early`);
  return value;
}

function writeAll(handle: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
}

function foldersAbove(name: string): string[] {
  const above = dirname(name);
  return above === "." ? [] : [...foldersAbove(above), above];
}
