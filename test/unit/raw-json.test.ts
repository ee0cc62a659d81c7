import { expect, test } from "bun:test";
import fc from "fast-check";
import { RawJson, stringify } from "../../src/lib/raw-json.ts";

const payloads = [
  '{"b":1,"a":2}',
  '{"n":12345678901234567890,"one":1.0,"e":1E+2}',
  '{ "spaced" : [ 1 ,2 ] }',
  '{"ключ":"🦊 \\u00e9 \\ud83d\\ude00","a":1,"a":2}',
];

test("a payload goes out byte by byte, its neighbours as JSON", () => {
  for (const payload of payloads) {
    const value = { id: 'a"b', payload: new RawJson(payload) };
    expect(stringify(value)).toBe(`{"id":"a\\"b","payload":${payload}}`);
  }
});

test("several payloads each go to their own place", () => {
  const data = payloads.map((payload, n) => ({ n, payload: new RawJson(payload), msg: new RawJson("1.0") }));
  const wanted = payloads.map((payload, n) => `{"n":${n},"payload":${payload},"msg":1.0}`);
  expect(stringify({ data, done: true })).toBe(`{"data":[${wanted.join(",")}],"done":true}`);
  expect(stringify(new RawJson(payloads[2] as string))).toBe(payloads[2] as string);
});

test("what it left undone does not trouble the next: a value that can't be written", () => {
  const knot: Record<string, unknown> = { payload: new RawJson("{}") };
  knot.knot = knot;
  expect(() => stringify(knot)).toThrow(TypeError);
  expect(JSON.stringify({ payload: new RawJson('{"a":1.0}') })).toBe('{"payload":{"a":1}}');
});

test("without raw parts it writes what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(stringify(value)).toBe(JSON.stringify(value));
    }),
  );
  expect(stringify({ a: undefined, b: [undefined], c: { d: null } })).toBe('{"b":[null],"c":{"d":null}}');
});
