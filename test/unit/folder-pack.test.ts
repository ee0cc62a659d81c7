import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packFolder, unpackFolder } from "../../src/lib/embedded-postgres/folder-pack.ts";
import { createRandom } from "../harness/random.ts";

const root = mkdtempSync(join(tmpdir(), "posthorn-pack-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function write(folder: string, files: Record<string, string | Uint8Array>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, folder, name, ".."), { recursive: true });
    writeFileSync(join(root, folder, name), content);
  }
  return join(root, folder);
}

test("what comes out is what went in: large, empty, alike, in folders, and empty folders", async () => {
  const random = createRandom(1);
  const large = Uint8Array.from({ length: 3_500_000 }, () => random.between(0, 256));
  const files = { "a/large": large, "a/b/again": large, empty: "", "a/small": "x", dropped: "no" };
  const from = write("from", files);
  mkdirSync(join(from, "nothing/in it"), { recursive: true });
  const packed = await packFolder(from, (name) => name !== "dropped", 3);
  expect(packed.length).toBeLessThan(large.length * 1.1);
  const to = join(root, "to");
  mkdirSync(to);
  await unpackFolder(packed, to);
  for (const [name, content] of Object.entries(files)) {
    if (name === "dropped") expect(existsSync(join(to, name))).toBe(false);
    else expect(readFileSync(join(to, name)).equals(Buffer.from(content))).toBe(true);
  }
  expect(readdirSync(join(to, "nothing"))).toEqual(["in it"]);
});

test("the same folder gives the same bytes", async () => {
  const [one, two] = [write("one", { b: "2", a: "1" }), write("two", { a: "1", b: "2" })];
  expect(await packFolder(one, () => true, 3)).toEqual(await packFolder(two, () => true, 3));
});
