import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { readArray, writeArray } from "../../src/lib/postgres-arrays.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterAll(() => database.drop());

const texts = fc.array(
  fc.oneof(
    fc.constant(null),
    fc.string({ unit: "binary" }).filter((text) => !text.includes("\u0000") && text.isWellFormed()),
    fc.constantFrom("", "null", "NULL", "{}", '"', "\\", 'a"b\\c', " a ", "a,b", "é😀", "\n\t"),
  ),
);

test("reads what it writes", () => {
  fc.assert(
    fc.property(texts, (array) => {
      expect(readArray(writeArray(array))).toEqual(array);
    }),
    { seed: 20261124, numRuns: 500 },
  );
});

test("PostgreSQL understands it, element by element, and is understood", async () => {
  await fc.assert(
    fc.asyncProperty(texts, async (array) => {
      const [row] =
        await database.sql`select array_to_json(${array}::text[])::text as json, ${array}::text[] as back`;
      expect(JSON.parse(row?.json as string)).toEqual(array);
      expect(row?.back).toEqual(array);
    }),
    { seed: 20261124, numRuns: 100 },
  );
});

test("numbers, uuids and times go through as arrays of their own types", async () => {
  const uuid = "7afdfbbd-7a1d-dcd6-0000-000000000001";
  const time = "2026-11-24T06:59:14.692Z";
  const [row] = await database.sql`select ${[1, null, -7]}::int[] as ints, ${[uuid, null]}::uuid[] as uuids,
    extract(epoch from (${[time]}::timestamptz[])[1])::float8 as at, ${[1.5]}::float8[] as floats`;
  expect(row).toEqual({
    ints: [1, null, -7],
    uuids: [uuid, null],
    at: Date.parse(time) / 1000,
    floats: [1.5],
  });
});
