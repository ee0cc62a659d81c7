import fc from "fast-check";

/** What no field asks for, and what has broken one server or another before. */
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    -0,
    2 ** 31,
    2 ** 53,
    -(2 ** 63),
    1e21,
    1e308,
    5e-324,
  ),
  fc.constantFrom<unknown>("", " ", "\u0000", "a\u0000b", "\u0008", "\u007f", "\u202e", "\ufeff", "\r\nx: y"),
  fc.constantFrom<unknown>(
    "\ud800",
    "a\udfff",
    "\ud83d\ude00",
    "..",
    "../..",
    "null",
    "__proto__",
    "constructor",
  ),
  fc.constantFrom<unknown>("'; drop table messages; --", "{{x}}", "%00", "1e999", "NaN", "Infinity"),
  fc.constantFrom<unknown>(
    "2026-13-45T99:99:99Z",
    "0000-00-00T00:00:00Z",
    "275761-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
  ),
  fc.constantFrom<unknown>(
    "-infinity",
    "epoch",
    "2026-01-02T03:04:05+99:99",
    "http://",
    "http://[::1",
    "javascript:1",
  ),
  fc.constantFrom<unknown>(
    [],
    [[]],
    [null],
    {},
    { a: null },
    { "": "" },
    { "\u0000": "\u0000" },
    { "\ud800": 1 },
  ),
  fc.constantFrom(300, 5_000, 70_000).map((length) => "x".repeat(length)),
  fc.constantFrom(200, 5_000).map((length) => Array.from({ length }, (_, n) => `name.${n}`)),
  fc
    .constantFrom(100, 3_000)
    .map((length) => Object.fromEntries(Array.from({ length }, (_, n) => [`k${n}`, "v"]))),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.jsonValue({ maxDepth: 3 }),
);

export type Change = (body: unknown) => string | Uint8Array<ArrayBuffer>;
/** A place in a body, found again in whatever body: each step picks one of the members that there are. */
const places = fc.array(fc.nat({ max: 40 }), { maxLength: 3 });

function at(body: unknown, steps: readonly number[], change: (holder: Holder, key: string) => void): unknown {
  const copy = structuredClone(body);
  let holder: unknown = copy;
  for (const [n, step] of steps.entries()) {
    if (!isHolder(holder)) break;
    const keys = Object.keys(holder);
    const key = keys[step % Math.max(1, keys.length)];
    if (key === undefined) break;
    if (n === steps.length - 1 || !isHolder(holder[key])) {
      change(holder, key);
      break;
    }
    holder = holder[key];
  }
  return copy;
}

type Holder = Record<string, unknown>;
const isHolder = (value: unknown): value is Holder => typeof value === "object" && value !== null;
const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

/** A good body, spoilt. */
export const changes: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(places, values).map(
      ([steps, value]): Change =>
        (body) =>
          JSON.stringify(
            at(body, steps, (holder, key) => {
              holder[key] = value;
            }),
          ),
    ),
  },
  {
    weight: 1,
    arbitrary: places.map(
      (steps): Change =>
        (body) =>
          JSON.stringify(
            at(body, steps, (holder, key) => {
              delete holder[key];
            }),
          ),
    ),
  },
  {
    weight: 1,
    arbitrary: values.map(
      (value): Change =>
        () =>
          JSON.stringify(value),
    ),
  },
  // What JSON.stringify doesn't write: another spelling of the value at some place.
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        places,
        fc.constantFrom(
          "1e999",
          "-1e999",
          "123456789012345678901234567890",
          "-0",
          "1E400",
          "01",
          "+1",
          "NaN",
          "Infinity",
          "undefined",
          "'x'",
          "0x10",
          '"\\ud800"',
          '"\\u0000"',
          '"\\x"',
          '{"__proto__":{"polluted":true}}',
          '{"constructor":{"prototype":1}}',
          '{"a":1,"a":2}',
          nested("[", "]", 500),
          nested('{"a":', "}", 500),
          nested("[", "]", 20_000),
          nested('{"a":', "}", 20_000),
          "[".repeat(50_000),
        ),
      )
      .map(
        ([steps, raw]): Change =>
          (body) =>
            JSON.stringify(
              at(body, steps.length ? steps : [0], (holder, key) => {
                holder[key] = "@@raw@@";
              }),
            ).replace('"@@raw@@"', () => raw),
      ),
  },
  // The members twice, or beside a few that mean something to the language.
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        (text: string) => `${text.slice(0, -1)},${text.slice(1)}`,
        (text: string) => `{"__proto__":{"admin":true},${text.slice(1)}`,
        (text: string) =>
          `{"__proto__":null,"constructor":null,"toString":1,"hasOwnProperty":2,${text.slice(1)}`,
        (text: string) => `{"toJSON":"x","then":"x","length":-1,${text.slice(1)}`,
        (text: string) => text.slice(0, -1),
        (text: string) => `${text}${text}`,
        (text: string) => `\ufeff${text}`,
        (text: string) => text.replaceAll(":", "="),
      )
      .map(
        (edit): Change =>
          (body) =>
            edit(JSON.stringify(body)),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\xff", "\xc3\x28", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\x00").map(
      (bad): Change =>
        (body) =>
          bytes(JSON.stringify(body).replace(/":"/, `":"${bad}`)),
    ),
  },
);

const texts =
  "% %zz %00 %ff %ed%a0%80 %F0%9F%98%80 .. %2e%2e %2F a,b,,c , null 0 -1 1.5 251 1e3 9007199254740993 " +
  "99999999999999999999 0x10 true false TRUE yes {} [] [1] %7B%22a%22%3A1%7D %5B%22a%22%5D __proto__ constructor - -- *";
/** What is put in place of one parameter in a query, or of one segment in a path; percent-encoded or not at all. */
export const queryTexts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", ...texts.split(" ")),
  fc.constantFrom(
    "2026-13-45T99:99:99Z",
    "0000-00-00",
    "275761-01-01T00:00:00Z",
    "-infinity",
    "2026-01-02 03:04:05.678 UTC",
  ),
  fc.constantFrom(
    `msg_${"z".repeat(27)}`,
    `-msg_${"z".repeat(27)}`,
    `app_${"0".repeat(27)}`,
    `-ep_${"~".repeat(27)}`,
    "-atmpt_",
  ),
  fc.constantFrom(300, 6_000).map((length) => "9".repeat(length)),
  fc.string({ maxLength: 12 }).map(encodeURIComponent),
);
