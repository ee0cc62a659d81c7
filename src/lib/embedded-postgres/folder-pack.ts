/**
 * A folder in one file, made to be unpacked fast: it is compressed in pieces that are decompressed in parallel, and
 * files with the same content, of which a cluster has many, are in it once. Only names and contents are kept.
 *
 *     4 bytes    the index's length, big-endian
 *     index      JSON, see `Index`
 *     pieces     zstd frames, one behind the other
 */
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join, relative } from "node:path";

type Index = {
  folders: string[];
  /** `at` is where the content starts in what the pieces make together. */
  files: { name: string; at: number; size: number }[];
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

/** Writes what was packed into an existing folder, with the modes that this process gives. */
export async function unpackFolder(packed: Uint8Array, target: string): Promise<void> {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let offset = lengthBytes + bytes.readUInt32BE(0);
  const index: Index = JSON.parse(bytes.subarray(lengthBytes, offset).toString());
  const pieces = await Promise.all(
    index.pieces.map((size) => {
      offset += size;
      return Bun.zstdDecompress(bytes.subarray(offset - size, offset));
    }),
  );
  for (const folder of index.folders) mkdirSync(join(target, folder), { recursive: true });
  for (const { name, at, size } of index.files) {
    const file = openSync(join(target, name), "wx");
    try {
      for (let from = at; from < at + size; ) {
        const piece = pieces[Math.floor(from / pieceBytes)] as Uint8Array;
        const start = from % pieceBytes;
        from += writeSync(file, piece, start, Math.min(piece.length - start, at + size - from));
      }
    } finally {
      closeSync(file);
    }
  }
}
