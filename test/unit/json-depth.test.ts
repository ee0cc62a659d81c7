import { expect, test } from "bun:test";
import fc from "fast-check";
import { isDeeperThan } from "../../src/lib/json-depth.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

test("tells how deep any JSON is, whatever its strings hold", () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 8 }),
      fc.constantFrom(0, 1, 2, 3, 5),
      fc.constantFrom(undefined, 1),
      (json, max, indent) => {
        const value = JSON.parse(json);
        // What can't be that deep isn't looked at: padded, so that it is.
        const text = JSON.stringify({ pad: '{["\\"'.repeat(20), value }, null, indent);
        expect(isDeeperThan(text, max)).toBe(depthOf(value) + 1 > max);
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

test("counts to the level", () => {
  const nested = (depth: number) => `${"[".repeat(depth)}1${"]".repeat(depth)}`;
  expect([nested(1000), nested(1001)].map((text) => isDeeperThan(text, 1000))).toEqual([false, true]);
  const wide = `[${nested(999)},${nested(999)}]`;
  expect(isDeeperThan(wide, 1000)).toBe(false);
});

test("ends on what is no JSON", () => {
  for (const text of ['{"', '["\\', '["\\"', "]]]]]]]]", '"'.repeat(99), "\\".repeat(99)]) {
    expect(isDeeperThan(text.padEnd(100), 3)).toBe(false);
  }
});
