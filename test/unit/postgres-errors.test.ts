import { expect, test } from "bun:test";
import { isUnavailable } from "../../src/lib/postgres-errors.ts";

const failed = (code: string) =>
  new Error("a query failed", { cause: Object.assign(new Error(code), { code }) });

test.each(["ECONNREFUSED", "08006", "57P01", "57014", "53100", "53200", "53300"])(
  "%s passes: try again",
  (code) => {
    expect(isUnavailable(failed(code))).toBe(true);
  },
);

test.each(["23505", "40001", "EACCES"])("%s isn't the database being away", (code) => {
  expect(isUnavailable(failed(code))).toBe(false);
});
