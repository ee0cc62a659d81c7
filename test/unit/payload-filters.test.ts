import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { isText } from "../../src/schemas/common.ts";
import { compileFilter } from "../../src/services/payload-filters.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function passes(filter: Record<string, unknown>, payload: string, contentType: string | null = null) {
  const [row] = await database.sql`
    select payload_document(${payload}, ${contentType}) @@ ${compileFilter(filter)}::text::jsonpath as passes`;
  return row?.passes === true;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Expression = Record<string, unknown>;

/** The rules of the description, said once more and as plainly as they can be. */
function expected(filter: Expression, payload: Json): boolean {
  if (Array.isArray(filter.and)) return filter.and.every((one) => expected(one, payload));
  if (Array.isArray(filter.or)) return filter.or.some((one) => expected(one, payload));
  if (filter.not) return !expected(filter.not as Expression, payload);
  const { path, ...operators } = filter;
  let value: Json | undefined = payload;
  for (const [, key, index] of String(path).matchAll(/\["(.)"\]|\[(\d)\]/g)) {
    const isList = Array.isArray(value);
    if (index !== undefined) value = isList ? (value as Json[])[Number(index)] : undefined;
    else if (isList || typeof value !== "object" || value === null) value = undefined;
    else
      value = Object.hasOwn(value, key as string)
        ? (value as Record<string, Json>)[key as string]
        : undefined;
  }
  return Object.entries(operators).every(([name, operand]) => holds(value, name, operand));
}

function holds(value: Json | undefined, name: string, operand: unknown): boolean {
  if (name === "exists") return (value !== undefined) === operand;
  if (name === "in") return (operand as unknown[]).includes(value);
  if (name === "eq") return value === operand;
  if (typeof value !== typeof operand) return false;
  const [a, b] = [value, operand] as [number, number];
  return { gt: a > b, gte: a >= b, lt: a < b, lte: a <= b }[name] === true;
}

const key = fc.constantFrom("a", "b", "é", "'");
const scalar = fc.oneof(
  fc.constantFrom(null, true, false, "", "a", "b", 'q"\\', "\n\u001f"),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(0.1, -2.5, 1e-7, 9007199254740991),
);
const ordered = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom("", "a", "b", 0.1, -2.5));
const { payload } = fc.letrec<{ payload: Json; value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
  payload: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
}));
const path = fc
  .array(
    fc.oneof(
      key.map((name) => `["${name}"]`),
      fc.nat(2).map((n) => `[${n}]`),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((steps) => steps.join(""));
const operators = fc.record(
  {
    eq: scalar,
    in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
    gt: ordered,
    gte: ordered,
    lt: ordered,
    lte: ordered,
    exists: fc.boolean(),
  },
  { requiredKeys: [] },
);
const condition = fc
  .tuple(path, operators)
  .filter(([, some]) => Object.keys(some).length > 0)
  .map(([at, some]): Expression => ({ ...some, path: at }));
/** Larger ones are refused: test/api/endpoint-filters.test.ts. */
const isSmall = (one: Expression) => JSON.stringify(one).split(/[:,]/).length < 100;
const { filter } = fc.letrec<{ filter: Expression }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    condition,
    fc.record({ and: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ or: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie("filter") }),
  ),
}));

test("what PostgreSQL makes of a filter is what the description says", async () => {
  const seen = { true: 0, false: 0 };
  await fc.assert(
    fc.asyncProperty(filter.filter(isSmall), payload, async (one, value) => {
      const want = expected(one, value);
      seen[`${want}`] += 1;
      expect(await passes(one, JSON.stringify(value))).toBe(want);
    }),
    { seed: 7, numRuns: 1_500 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(100);
}, 60_000);

test("whatever text a path and a value hold, they stay text", async () => {
  const text = fc.string({ unit: "grapheme", maxLength: 8 }).filter(isText);
  await fc.assert(
    fc.asyncProperty(text, text, async (name, value) => {
      const at = { path: `[${JSON.stringify(name)}]`, eq: value };
      expect(await passes(at, JSON.stringify({ [name]: value }))).toBe(true);
      expect(await passes(at, JSON.stringify({ [name]: `${value}.` }))).toBe(false);
    }),
    { seed: 8, numRuns: 200 },
  );
}, 60_000);

test.each([
  ['{"n":12345678901234567890}', { path: "n", gt: 9007199254740991 }, true],
  ['{"n":9007199254740992}', { path: "n", eq: 9007199254740991 }, false],
  ['{"n":9007199254740991.5}', { path: "n", eq: 9007199254740991 }, false],
  ['{"n":1.0}', { path: "n", eq: 1 }, true],
  ['{"n":1e400}', { path: "n", gt: 1 }, true],
  ['{"a":[{"b.c":5}]}', { path: 'a[0]["b.c"]', lte: 5 }, true],
  ['{"a":1,"z":"\\u0000"}', { path: "a", eq: 1 }, true],
  ['{"a":1,"z":"\\ud800"}', { path: "a", eq: 1 }, true],
  ['{"a":"\\\\u0000","z":"\\u0000"}', { path: "a", eq: "\\u0000" }, true],
  // Past what PostgreSQL's numeric holds: it can't be looked at, and passes nothing.
  ['{"a":1,"z":1e999999}', { path: "a", eq: 1 }, false],
  ['{"a":1,"a":2}', { path: "a", eq: 2 }, true],
])("%s, %j", async (text, one, want) => {
  expect(await passes(one, text)).toBe(want);
});

test("nothing that a payload holds makes the statement fail", async () => {
  const deep = `{"a":${"[".repeat(999)}${"]".repeat(999)}}`;
  expect(await passes({ path: "a", exists: true }, deep)).toBe(true);
  const raw = "[".repeat(1_000_000);
  expect(await passes({ not: { path: "a", exists: true } }, raw, "text/plain")).toBe(false);
});
