import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packFolder, unpackFolder } from "../../src/lib/embedded-postgres/folder-pack.ts";
import { temporaryFolder } from "../harness/postgres.ts";

test("a folder comes out of its packed form as it went in, without what was not wanted", async () => {
  const [from, to] = [temporaryFolder(), temporaryFolder()];
  mkdirSync(join(from, "a/empty"), { recursive: true });
  const mixed = Buffer.alloc(5 * 1024 * 1024 + 3, "0123456789abcdef!");
  const files = {
    "a/mixed": mixed,
    "a/nothing": Buffer.alloc(0),
    "b/one frame": mixed.subarray(0, 1024 * 1024),
    "b/the same": Buffer.from("twice"),
    "c/the same": Buffer.from("twice"),
  };
  for (const [name, bytes] of Object.entries({ ...files, "a/unwanted": mixed })) {
    mkdirSync(join(from, name, ".."), { recursive: true });
    writeFileSync(join(from, name), bytes);
  }
  const pack = () => packFolder(from, (name) => name !== "a/unwanted", 3);
  const packed = await pack();
  expect(Buffer.from(packed).equals(await pack())).toBe(true);
  await unpackFolder(new Blob([packed]), to);
  const names = readdirSync(to, { recursive: true }).map(String).sort();
  expect(names).toEqual([...Object.keys(files), "a", "a/empty", "b", "c"].sort());
  for (const [name, bytes] of Object.entries(files)) {
    expect(readFileSync(join(to, name)).equals(bytes)).toBe(true);
  }
});

test("a packed folder that breaks off is refused", async () => {
  const from = temporaryFolder();
  writeFileSync(join(from, "file"), "content");
  const packed = new Blob([(await packFolder(from, () => true, 3)).slice(0, -4)]);
  await expect(unpackFolder(packed, temporaryFolder())).rejects.toThrow();
});

test("so is one that breaks off between two pieces", async () => {
  const from = temporaryFolder();
  writeFileSync(join(from, "file"), Buffer.alloc(3 * 1024 * 1024, "0123456789abcdef!"));
  const packed = await packFolder(from, () => true, 3);
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
  const { pieces } = JSON.parse(Buffer.from(packed.subarray(4, 4 + length)).toString()) as {
    pieces: number[];
  };
  expect(pieces).toHaveLength(3);
  const short = new Blob([packed.slice(0, -(pieces[2] as number))]);
  await expect(unpackFolder(short, temporaryFolder())).rejects.toThrow("breaks off");
});
