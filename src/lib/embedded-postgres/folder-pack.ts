/**
 * A folder in one file, made to be unpacked fast: it is compressed in pieces that are decompressed one after another
 * into the same memory, and files with the same content, of which a cluster has many, are in it once. Only names and
 * contents are kept.
 *
 *     4 bytes    the index's length, big-endian
 *     index      JSON, see `Index`
 *     pieces     zstd frames, one behind the other
 */
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join, relative } from "node:path";

/** `at` is where the content starts in what the pieces make together. */
type PackedFile = { name: string; at: number; size: number };
type Index = {
  folders: string[];
  files: PackedFile[];
  /** Bytes of each piece, compressed; uncompressed, all but the last have `pieceBytes`. */
  pieces: number[];
};

const pieceBytes = 1024 * 1024;
const lengthBytes = 4;

/**
 * @param isWanted asked with a path in the folder, with slashes; a folder's ends in one
 * @returns the same bytes for the same names and contents
 */
export async function packFolder(
  root: string,
  isWanted: (name: string) => boolean,
  zstdLevel: number,
): Promise<Uint8Array> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const names = (kind: "isFile" | "isDirectory") =>
    entries
      .filter((entry) => entry[kind]())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort();
  const places = new Map<string, number>();
  const contents: Buffer[] = [];
  let end = 0;
  const files = names("isFile")
    .filter(isWanted)
    .map((name) => {
      const content = readFileSync(join(root, name));
      const digest = createHash("sha256").update(content).digest("hex");
      const at = places.get(digest) ?? end;
      if (at === end) {
        places.set(digest, at);
        contents.push(content);
        end += content.length;
      }
      return { name, at, size: content.length };
    });
  const folders = names("isDirectory").filter(
    (folder) => isWanted(`${folder}/`) || files.some(({ name }) => name.startsWith(`${folder}/`)),
  );
  const whole = Buffer.concat(contents);
  const pieces = await Promise.all(
    Array.from({ length: Math.ceil(whole.length / pieceBytes) }, (_, n) =>
      Bun.zstdCompress(whole.subarray(n * pieceBytes, (n + 1) * pieceBytes), { level: zstdLevel }),
    ),
  );
  const index: Index = { folders, files, pieces: pieces.map((piece) => piece.length) };
  const head = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, ...pieces]);
}

/**
 * Writes what was packed into an existing folder, with the modes that this process gives.
 * @throws when the packed form breaks off
 */
export async function unpackFolder(packed: Blob, target: string): Promise<void> {
  const length = new DataView(await packed.slice(0, lengthBytes).arrayBuffer()).getUint32(0);
  const index: Index = await packed.slice(lengthBytes, lengthBytes + length).json();
  for (const folder of index.folders) mkdirSync(join(target, folder), { recursive: true });
  const files = index.files.toSorted((a, b) => a.at - b.at);
  let from = 0;
  let offset = lengthBytes + length;
  let unfinished: PackedFile[] = [];
  for (const size of index.pieces) {
    const frame = await packed.slice(offset, offset + size).bytes();
    const piece = Bun.zstdDecompressSync(frame);
    const to = from + piece.length;
    const begun = files.findIndex(({ at }) => at >= to);
    const here = [...unfinished, ...files.splice(0, begun < 0 ? files.length : begun)];
    for (const { name, at, size } of here) {
      append(join(target, name), piece.subarray(Math.max(at - from, 0), at + size - from), at >= from);
    }
    unfinished = here.filter(({ at, size }) => at + size > to);
    from = to;
    offset += size;
    // Memory that is new to the process costs more than what is done with it: the next piece gets this one's.
    for (const { buffer } of [piece, frame]) (buffer as ArrayBuffer).transfer(0);
  }
  // What is empty may stand behind everything else.
  for (const { name } of files.filter((file) => file.size === 0))
    append(join(target, name), new Uint8Array(), true);
  if (unfinished.length > 0 || files.some(({ size }) => size > 0))
    throw new Error("a packed folder breaks off");
}

function append(path: string, bytes: Uint8Array, isNew: boolean): void {
  const file = openSync(path, isNew ? "wx" : "a");
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
  } finally {
    closeSync(file);
  }
}
