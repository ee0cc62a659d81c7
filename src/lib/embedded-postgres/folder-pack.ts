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

/** Writes what was packed into an existing folder, with the modes that this process gives. */
export async function unpackFolder(packed: Blob, target: string): Promise<void> {
  const head = Buffer.from(await bytesOf(packed, 0, lengthBytes));
  const piecesAt = lengthBytes + head.readUInt32BE(0);
  const index: Index = JSON.parse(Buffer.from(await bytesOf(packed, lengthBytes, piecesAt)).toString());
  for (const folder of index.folders) mkdirSync(join(target, folder), { recursive: true });
  const files = index.files.toSorted((a, b) => a.at - b.at);
  const open = new Set<OpenFile>();
  try {
    let offset = piecesAt;
    for (const [n, size] of index.pieces.entries()) {
      const frame = await bytesOf(packed, offset, offset + size);
      const piece = Bun.zstdDecompressSync(frame);
      offset += size;
      const [from, to] = [n * pieceBytes, n * pieceBytes + piece.length];
      while (files[0] !== undefined && files[0].at < to)
        open.add(openFile(target, files.shift() as PackedFile));
      for (const file of open) {
        writeAll(file.fd, piece.subarray(Math.max(file.at - from, 0), file.at + file.size - from));
        if (file.at + file.size <= to) close(file);
      }
      // Memory that is new to the process costs more than what is done with it: the next piece gets this one's.
      (piece.buffer as ArrayBuffer).transfer(0);
      frame.buffer.transfer(0);
    }
    // Empty ones that come behind everything else.
    for (const file of files) open.add(openFile(target, file));
  } finally {
    for (const file of open) close(file);
  }

  function close(file: OpenFile): void {
    open.delete(file);
    closeSync(file.fd);
  }
}

type OpenFile = PackedFile & { fd: number };

const openFile = (target: string, file: PackedFile): OpenFile => ({
  ...file,
  fd: openSync(join(target, file.name), "wx"),
});

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

/** A part of it, in memory of its own. */
const bytesOf = (packed: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> =>
  packed.slice(from, to).bytes();
