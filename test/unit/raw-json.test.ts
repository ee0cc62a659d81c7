import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import fc from "fast-check";
import { RawJson, stringify } from "../../src/lib/raw-json.ts";
import { rawResponse } from "../../src/routes/raw-response.ts";

const Shape = Type.Object({ id: Type.String(), payload: Type.Object({}) });

const payloads = [
  '{"b":1,"a":2}',
  '{"n":12345678901234567890,"one":1.0,"e":1E+2}',
  '{ "spaced" : [ 1 ,2 ] }',
  '{"ключ":"🦊 \\u00e9 \\ud83d\\ude00","a":1,"a":2}',
];

test("a payload goes out byte by byte, its neighbours as JSON", async () => {
  for (const payload of payloads) {
    const value = { id: 'a"b', payload: new RawJson(payload) };
    const response = rawResponse(Shape, value);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe(`{"id":"a\\"b","payload":${payload}}`);
  }
});

test("a value that breaks the schema is a server error and goes nowhere", () => {
  const broken = { id: 1, payload: new RawJson("{}") } as unknown as { id: string; payload: object };
  expect(() => rawResponse(Shape, broken)).toThrow(/broke its schema: \/id/);
});

test("without raw parts it writes what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(stringify(value)).toBe(JSON.stringify(value));
    }),
  );
  expect(stringify({ a: undefined, b: [undefined], c: { d: null } })).toBe('{"b":[null],"c":{"d":null}}');
});
