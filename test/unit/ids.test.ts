import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ID_PREFIXES, idBound, idTime, isId, newId } from "../../src/lib/ids.ts";

const SEED = { seed: 20_261_124 };
const FIRST_MS = 1_400_000_000_000;
const LAST_MS = FIRST_MS + (2 ** 32 - 1) * 1000;
const timeMs = fc.integer({ min: FIRST_MS, max: LAST_MS });
const prefix = fc.constantFrom(...ID_PREFIXES);

/** The slow, plain way: 20 bytes as one number, then base62. */
function reference(step: bigint): string {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let number = step << 120n;
  let text = "";
  for (let at = 0; at < 27; at++) {
    text = alphabet[Number(number % 62n)] + text;
    number /= 62n;
  }
  return text;
}

describe("ids", () => {
  test("an id has its prefix, 27 base62 characters and its time to 4 ms", () => {
    fc.assert(
      fc.property(prefix, timeMs, (kind, ms) => {
        const id = newId(kind, ms);
        expect(id).toMatch(new RegExp(`^${kind}[0-9A-Za-z]{27}$`));
        expect(isId(kind, id)).toBe(true);
        expect(idTime(id).getTime()).toBe(ms - (ms % 4));
      }),
      SEED,
    );
  });

  test("the bound is the KSUID of that time with nothing after it", () => {
    fc.assert(
      fc.property(timeMs, (ms) => {
        const seconds = Math.floor(ms / 1000) - 1_400_000_000;
        const step = BigInt(seconds) * 256n + BigInt(Math.floor((ms % 1000) / 4));
        expect(idBound("msg_", ms)).toBe(`msg_${reference(step)}`);
      }),
      SEED,
    );
  });

  test("bounds part ids by time", () => {
    fc.assert(
      fc.property(timeMs, timeMs, (a, b) => {
        const id = newId("msg_", a);
        const sameStep = Math.floor(a / 4) === Math.floor(b / 4);
        expect(id >= idBound("msg_", new Date(b))).toBe(a >= b || sameStep);
      }),
      SEED,
    );
  });

  test("text order is time order", () => {
    fc.assert(
      fc.property(timeMs, timeMs, (a, b) => {
        if (Math.floor(a / 4) === Math.floor(b / 4)) return;
        expect(newId("ep_", a) < newId("ep_", b)).toBe(a < b);
      }),
      SEED,
    );
  });

  test("100,000 ids of one step differ and sort as they were made", () => {
    let last = newId("msg_", FIRST_MS + 4);
    for (let made = 0; made < 100_000; made++) {
      const next = newId("msg_", FIRST_MS + 4);
      if (!(next > last)) throw new Error(`${next} came after ${last}`);
      last = next;
    }
    expect(last < idBound("msg_", FIRST_MS + 8)).toBe(true);
  });

  test("a time outside the range is moved to its end", () => {
    expect(idBound("msg_", 0)).toBe(`msg_${"0".repeat(27)}`);
    expect(isId("msg_", newId("msg_", LAST_MS * 2))).toBe(true);
    expect(() => idBound("msg_", new Date("no date"))).toThrow(RangeError);
  });

  test.each([
    ["another prefix", `app_${"0".repeat(27)}`],
    ["too short", `msg_${"0".repeat(26)}`],
    ["too long", `msg_${"0".repeat(28)}`],
    ["not base62", `msg_${"0".repeat(26)}-`],
    ["more than 20 bytes", "msg_aWgEPTl1tmebfsQzFP4bxwgy80W"],
    ["no prefix", "0".repeat(27)],
    ["a line break", `msg_${"0".repeat(26)}\n`],
  ])("%s is no message's id", (_, text) => {
    expect(isId("msg_", text)).toBe(false);
  });

  test("reads a time out of an id of svix's", () => {
    expect(idTime("org_23rb8YdGqMT0qIzpgGwdXfHirMu").getUTCFullYear()).toBe(2022);
    expect(() => idTime("org_!")).toThrow(RangeError);
  });
});
