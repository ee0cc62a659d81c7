/** Schemas come from strangers: whatever they ask for, the validator neither hangs nor falls over. */
import { describe, expect, test } from "bun:test";
import { compileSchema, SchemaFault } from "../../src/lib/json-schema/index.ts";

const stepsMax = 1_000_000;

const nested = (depth: number, schema: object): object =>
  depth === 0 ? schema : { properties: { a: nested(depth - 1, schema) } };
const deep = (depth: number): unknown => (depth === 0 ? {} : { a: deep(depth - 1) });
/** Each definition names the next one twice: 2 to the power of `n` ways through. */
const doubling = (n: number) => ({
  $ref: "#/$defs/d0",
  $defs: Object.fromEntries(
    Array.from({ length: n }, (_, i) => {
      const $ref = `#/$defs/d${i + 1}`;
      return [`d${i}`, i === n - 1 ? { type: "object" } : { allOf: [{ $ref }, { $ref }] }];
    }),
  ),
});

describe("hostile schemas", () => {
  const farAway = `https://a.b/${"c".repeat(2_000)}`;
  const tooExpensive: [string, unknown, unknown][] = [
    ["a reference to itself", { $ref: "#" }, {}],
    [
      "references in a circle",
      { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { not: { $ref: "#/$defs/a" } } } },
      {},
    ],
    ["ways that double", doubling(40), {}],
    [
      "lists within lists, each looked at nine times",
      { allOf: Array(9).fill({ items: { $ref: "#" } }) },
      deepList(12),
    ],
    ["a long pattern on a long text", { pattern: "(\\p{L}|\\p{N}){1,900}$" }, "é1".repeat(50_000)],
    ["many patterns on many names", { patternProperties: patterns(500) }, names(5_000)],
    [
      "items that are compared in full, at each depth",
      uniqueAtEachDepth(),
      deepList(400, "x".repeat(100_000)),
    ],
    [
      "properties by the thousand of items by the thousand",
      { items: { properties: names(3_000) } },
      Array(3_000).fill({}),
    ],
    [
      "alternatives that are plainly false",
      { items: { anyOf: Array(3_000).fill(false) } },
      Array(3_000).fill(1),
    ],
    [
      "items that are looked for over and over",
      { allOf: Array.from({ length: 300 }, () => ({ contains: false, minContains: 0 })) },
      Array(10_000).fill(1),
    ],
    [
      "names that are listed over and over, of which the first won't do",
      { anyOf: Array.from({ length: 300 }, () => ({ additionalProperties: false })) },
      names(10_000),
    ],
    [
      "names that are remembered over and over",
      { unevaluatedProperties: false, allOf: Array(3_000).fill({ additionalProperties: true }) },
      names(3_000),
    ],
  ];
  test.each(tooExpensive)("%s: ends when the steps are used up", (_name, schema, value) => {
    expect(compileSchema(schema).validate(value, stepsMax)).toEqual({ kind: "too-expensive" });
  });

  const refused: [string, unknown][] = [
    ["one that nests too deep", nested(500, {})],
    ["more schemas than anybody writes", { allOf: Array.from({ length: 11_000 }, () => ({})) }],
    ["repetitions of repetitions", { pattern: "((x{30}){30}){30}" }],
    [
      "patterns that fill the memory",
      { allOf: Array.from({ length: 50 }, (_, n) => ({ pattern: `x{1000}${n}` })) },
    ],
    ["an address of great length", { $ref: farAway, $defs: { x: { $id: farAway } } }],
    ["a pattern of great length", { pattern: "a".repeat(1_001) }],
  ];
  test.each(refused)("%s is refused", (_name, schema) => {
    expect(() => compileSchema(schema)).toThrow(SchemaFault);
  });

  test("a type that is named often is one", () => {
    expect(compileSchema({ type: Array(5_000).fill("string") }).validate(1, 10)).toMatchObject({
      faults: [{ message: "must be of the type string" }],
    });
  });

  test("nests as deep as the payload does", () => {
    const tree = { type: "object", properties: { a: { $ref: "#" } } };
    expect(compileSchema(tree).validate(deep(700), stepsMax)).toEqual({ kind: "valid" });
  });

  test("a pattern that others take for ever over costs what its text is long", () => {
    const evil = compileSchema({ pattern: "^(a+)+$" });
    expect(evil.validate(`${"a".repeat(100_000)}b`, stepsMax).kind).toBe("invalid");
  });
});

function deepList(depth: number, leaf: unknown = 1): unknown {
  return Array.from({ length: depth }).reduce<unknown>((inner) => [inner], leaf);
}
function patterns(count: number): Record<string, true> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`^x${n}$`, true]));
}
function names(count: number): Record<string, true> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`name${n}`, true]));
}
function uniqueAtEachDepth() {
  return { uniqueItems: true, items: { $ref: "#" } };
}
