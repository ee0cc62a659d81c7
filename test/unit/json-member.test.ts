import { expect, test } from "bun:test";
import fc from "fast-check";
import { jsonMember } from "../../src/lib/json-member.ts";

test("gives a member's text as it is spelled", () => {
  const cases: [text: string, name: string, expected: string | null][] = [
    [
      '{"payload":{"b":1.0,"a":12345678901234567890,"2":0,"1":0}}',
      "payload",
      '{"b":1.0,"a":12345678901234567890,"2":0,"1":0}',
    ],
    [' { "a" : 1 , "payload" : { "x" : [ 1 , "}" ] } , "z" : null } ', "payload", '{ "x" : [ 1 , "}" ] }'],
    ['{"payload":"a\\"b\\\\"}', "payload", '"a\\"b\\\\"'],
    ['{"a":{"payload":1},"b":2}', "payload", null],
    ['{"a":1 ,"b": 12\n}', "b", "12"],
    ['{"pay\\u006coad":true}', "payload", "true"],
    ['{"payload":1,"payload":2}', "payload", "2"],
    ["{}", "payload", null],
    ['{"payload":{"s":"\\ud800 😀 \\u0000"}}', "payload", '{"s":"\\ud800 😀 \\u0000"}'],
  ];
  for (const [text, name, expected] of cases) expect(jsonMember(text, name)).toBe(expected);
});

test("agrees with JSON.parse on every object", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.nat(4),
      fc.string(),
      (object, indent, absent) => {
        const text = JSON.stringify(object, null, indent);
        for (const [key, value] of Object.entries(JSON.parse(text) as object)) {
          expect(JSON.parse(jsonMember(text, key) as string)).toEqual(value);
        }
        if (!Object.hasOwn(object, absent)) expect(jsonMember(text, absent)).toBeNull();
      },
    ),
    { seed: 20261124, numRuns: 500 },
  );
});
