import { expect, test } from "bun:test";
import { isMissingPartition, isUnavailable } from "../../src/lib/postgres-errors.ts";

const failed = (code: string) =>
  new Error("a query failed", { cause: Object.assign(new Error(code), { code }) });

test.each(["ECONNREFUSED", "08006", "57P01", "57014", "53100", "53200", "53300"])(
  "%s passes: try again",
  (code) => {
    expect(isUnavailable(failed(code))).toBe(true);
  },
);

test("a missing partition is told from a constraint, whoever wrapped it", () => {
  const refused = (message: string) => Object.assign(new Error(message), { code: "23514" });
  const missing = refused('no partition of relation "attempts" found for row');
  const violated = refused('new row for relation "x" violates check constraint "no partition"');
  for (const wrap of [(error: Error) => error, (cause: Error) => new Error("Failed query", { cause })]) {
    expect([missing, violated].map((error) => isMissingPartition(wrap(error)))).toEqual([true, false]);
  }
});

test.each(["23505", "40001", "EACCES"])("%s isn't the database being away", (code) => {
  expect(isUnavailable(failed(code))).toBe(false);
});
