import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { compileSchema, SchemaFault } from "../../src/lib/json-schema/index.ts";

type Case = { schema: unknown; valid?: unknown[]; invalid?: unknown[] };

const draft7 = "http://json-schema.org/draft-07/schema#";
const stepsMax = 1_000_000;

/** As text: an object with a `then` can pass for a promise. */
const when = (test: unknown, yes: unknown, no: unknown) =>
  JSON.parse(`{"if":${JSON.stringify(test)},"then":${JSON.stringify(yes)},"else":${JSON.stringify(no)}}`);
const linked = { type: "object", required: ["next"], properties: { next: { $ref: "#/$defs/node" } } };
const cases: Record<string, Case[]> = {
  "schemas that are no objects": [
    { schema: true, valid: [1, null, {}] },
    { schema: false, invalid: [1, null, {}] },
    { schema: {}, valid: [1, null, {}] },
  ],
  type: [
    { schema: { type: "integer" }, valid: [1, 1.0, -0, 1e300], invalid: [1.5, "1", null] },
    { schema: { type: "number" }, valid: [1.5], invalid: ["1", true] },
    { schema: { type: ["null", "array"] }, valid: [null, []], invalid: [{}, false, 0] },
    { schema: { type: "object" }, valid: [{}], invalid: [[], null] },
  ],
  "enum and const": [
    { schema: { enum: [1, "a", { x: [1, 2], y: null }] }, valid: [1, "a", { y: null, x: [1, 2] }] },
    { schema: { enum: [1, { x: [1, 2] }] }, invalid: ["1", true, { x: [2, 1] }, { x: [1, 2], y: 1 }] },
    { schema: { enum: [0, false, "null"] }, valid: [0, -0, false], invalid: [null, "0", [], {}] },
    { schema: { const: null }, valid: [null], invalid: [0, "null"] },
    { schema: { const: { a: [{}] } }, valid: [{ a: [{}] }], invalid: [{ a: [] }, { a: [[]] }] },
  ],
  numbers: [
    { schema: { minimum: 1, maximum: 2 }, valid: [1, 2, "0"], invalid: [0.9, 2.1] },
    { schema: { exclusiveMinimum: 1, exclusiveMaximum: 2 }, valid: [1.5], invalid: [1, 2] },
    { schema: { multipleOf: 0.1 }, valid: [0.3, 1.1, 7, 0, "x"], invalid: [0.35] },
    { schema: { multipleOf: 1e-8 }, valid: [12.3456789, 1e20], invalid: [1e-9] },
    { schema: { multipleOf: 1.5 }, valid: [3, -4.5], invalid: [1e308, 2, JSON.parse("1e999")] },
  ],
  strings: [
    { schema: { minLength: 2, maxLength: 3 }, valid: ["ab", "😀😀😀", 1], invalid: ["a", "😀", "abcd"] },
    { schema: { pattern: "^a\\d+$" }, valid: ["a12", 5], invalid: ["ba12", "a12\n", ""] },
    { schema: { pattern: "b" }, valid: ["abc"], invalid: ["ac"] },
    { schema: { pattern: "^\\p{L}+$" }, valid: ["é"], invalid: ["1"] },
    { schema: { format: "email" }, valid: ["no address"] },
  ],
  "members of objects": [
    { schema: { properties: { a: { type: "string" } } }, valid: [{}, { a: "" }, 1], invalid: [{ a: 1 }] },
    { schema: { required: ["a", "toString"] }, valid: [{ a: 1, toString: 1 }, []], invalid: [{ a: 1 }] },
    {
      schema: JSON.parse('{"properties":{"__proto__":{"type":"number"}},"required":["__proto__"]}'),
      valid: [JSON.parse('{"__proto__":1}')],
      invalid: [{}, JSON.parse('{"__proto__":"x"}')],
    },
    { schema: { additionalProperties: false }, valid: [{}], invalid: [{ a: 1 }] },
    {
      schema: {
        properties: { a: true },
        patternProperties: { "^x": { type: "number" } },
        additionalProperties: { type: "null" },
      },
      valid: [{ a: "", x1: 1, b: null }],
      invalid: [{ x1: "" }, { b: 1 }],
    },
    { schema: { propertyNames: { maxLength: 1 } }, valid: [{ a: 1 }], invalid: [{ ab: 1 }] },
    {
      schema: { minProperties: 1, maxProperties: 2 },
      valid: [{ a: 1 }],
      invalid: [{}, { a: 1, b: 1, c: 1 }],
    },
    { schema: { dependentRequired: { a: ["b"] } }, valid: [{ b: 1 }, { a: 1, b: 1 }], invalid: [{ a: 1 }] },
    {
      schema: { dependentSchemas: { a: { maxProperties: 1 } } },
      valid: [{ a: 1 }],
      invalid: [{ a: 1, b: 1 }],
    },
    {
      schema: { dependencies: { a: ["b"], c: { maxProperties: 1 } } },
      valid: [{ a: 1, b: 1 }, { c: 1 }],
      invalid: [{ a: 1 }, { c: 1, d: 1 }],
    },
  ],
  "items of lists": [
    { schema: { items: { type: "number" } }, valid: [[1, 2], [], {}], invalid: [[1, ""]] },
    {
      schema: { prefixItems: [{ type: "number" }], items: false },
      valid: [[], [1]],
      invalid: [["a"], [1, 2]],
    },
    {
      schema: { items: [{ type: "number" }], additionalItems: false },
      valid: [[1]],
      invalid: [["a"], [1, 2]],
    },
    { schema: { contains: { const: 1 } }, valid: [[0, 1], "x"], invalid: [[], [0]] },
    {
      schema: { contains: { const: 1 }, minContains: 2, maxContains: 3 },
      valid: [[1, 1]],
      invalid: [[1], [1, 1, 1, 1]],
    },
    { schema: { contains: { const: 1 }, minContains: 0 }, valid: [[], [0]] },
    { schema: { minItems: 1, maxItems: 2 }, valid: [[1]], invalid: [[], [1, 2, 3]] },
    {
      schema: { uniqueItems: true },
      valid: [[1, "1", true, [1], { a: 1 }]],
      invalid: [
        [1, 1],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
        [[0], [-0]],
      ],
    },
  ],
  alternatives: [
    { schema: { allOf: [{ minimum: 1 }, { maximum: 2 }] }, valid: [1], invalid: [0, 3] },
    { schema: { anyOf: [{ type: "string" }, { minimum: 2 }] }, valid: ["a", 2], invalid: [1] },
    { schema: { oneOf: [{ minimum: 1 }, { maximum: 2 }] }, valid: [0, 3], invalid: [1] },
    { schema: { not: { type: "string" } }, valid: [1], invalid: ["a"] },
    {
      schema: when({ required: ["a"] }, { required: ["b"] }, { required: ["c"] }),
      valid: [{ a: 1, b: 1 }, { c: 1 }],
      invalid: [{ a: 1 }, {}],
    },
    { schema: JSON.parse('{"then":false,"else":false}'), valid: [1] },
  ],
  references: [
    {
      schema: { $defs: { node: { anyOf: [{ type: "null" }, linked] } }, $ref: "#/$defs/node" },
      valid: [null, { next: { next: null } }],
      invalid: [{}, { next: { next: 1 } }],
    },
    { schema: { $defs: { "a/b~c%": { const: 1 } }, $ref: "#/$defs/a~1b~0c%25" }, valid: [1], invalid: [2] },
    { schema: { $defs: { x: { $anchor: "here", const: 1 } }, $ref: "#here" }, valid: [1], invalid: [2] },
    {
      schema: { $id: "https://a.b/c", $defs: { x: { $id: "d", const: 1 } }, $ref: "d" },
      valid: [1],
      invalid: [2],
    },
    {
      schema: { properties: { a: { $ref: "#" } }, maxProperties: 1 },
      valid: [{ a: {} }],
      invalid: [{ a: { b: 1, c: 1 } }],
    },
    { schema: { $ref: "#/elsewhere", elsewhere: { const: 1 } }, valid: [1], invalid: [2] },
    {
      schema: { $ref: "#/$defs/x", minimum: 5, $defs: { x: { type: "number" } } },
      valid: [5],
      invalid: [4, "a"],
    },
    {
      schema: {
        $schema: draft7,
        $ref: "#/definitions/x",
        minimum: 5,
        definitions: { x: { type: "number" } },
      },
      valid: [4],
      invalid: ["a"],
    },
    {
      schema: { $schema: draft7, $ref: "#x", definitions: { y: { $id: "#x", const: 1 } } },
      valid: [1],
      invalid: [2],
    },
    {
      schema: { const: { $ref: "https://elsewhere.example/" } },
      valid: [{ $ref: "https://elsewhere.example/" }],
    },
  ],
  "what is left over": [
    {
      schema: { allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
      valid: [{ a: 1 }],
      invalid: [{ b: 1 }],
    },
    {
      schema: {
        anyOf: [{ properties: { a: { const: 1 } }, required: ["a"] }, { properties: { b: true } }],
        unevaluatedProperties: false,
      },
      valid: [{ a: 1, b: 1 }, { b: 1 }],
      invalid: [{ a: 2 }, { a: 1, c: 1 }],
    },
    {
      schema: {
        if: { properties: { a: { const: 1 } }, required: ["a"] },
        unevaluatedProperties: { const: 2 },
      },
      valid: [{ a: 1 }, { a: 2 }],
      invalid: [{ a: 3 }],
    },
    { schema: { not: { properties: { a: true } }, unevaluatedProperties: false }, invalid: [{ a: 1 }] },
    {
      schema: { prefixItems: [true], contains: { const: 7 }, unevaluatedItems: false },
      valid: [[1, 7]],
      invalid: [[1, 7, 8]],
    },
    {
      schema: { $schema: draft7, unevaluatedProperties: false, prefixItems: [false] },
      valid: [{ a: 1 }, [1]],
    },
  ],
};

describe.each(Object.entries(cases))("%s", (_name, table) => {
  test.each(table.map((one) => [JSON.stringify(one.schema).slice(0, 120), one] as const))(
    "%s",
    (_text, one) => {
      const validator = compileSchema(one.schema);
      const judged = (values: unknown[] = []) =>
        values.map((value) => validator.validate(value, stepsMax).kind);
      expect(judged(one.valid)).toEqual((one.valid ?? []).map(() => "valid"));
      expect(judged(one.invalid)).toEqual((one.invalid ?? []).map(() => "invalid"));
    },
  );
});

test("faults name their places, ten of them at most", () => {
  const schema = {
    required: ["id"],
    properties: { list: { items: { properties: { n: { type: "integer" } } } }, "a/b": false },
  };
  const value = { list: [{ n: 1 }, { n: "x" }], "a/b": 1 };
  expect(compileSchema(schema).validate(value, stepsMax)).toEqual({
    kind: "invalid",
    faults: [
      { path: ["list", "1", "n"], message: "must be of the type integer" },
      { path: ["a/b"], message: "must not be there" },
      { path: ["id"], message: "is missing" },
    ],
  });
  const many = compileSchema({ items: { type: "string" } }).validate(Array(50).fill(1), stepsMax);
  expect(many).toMatchObject({ kind: "invalid", faults: { length: 10 } });
});

const faults: [unknown, string[], string][] = [
  [1, [], "must be a schema"],
  [{ type: "text" }, ["type"], "must be of array"],
  [{ properties: { a: { minLength: -1 } } }, ["properties", "a", "minLength"], "whole number"],
  [{ properties: [] }, ["properties"], "must be an object"],
  [{ required: [1] }, ["required"], "list of strings"],
  [{ items: 1 }, ["items"], "must be a schema"],
  [{ anyOf: [] }, ["anyOf"], "one schema or more"],
  [{ multipleOf: 0 }, ["multipleOf"], "more than 0"],
  [{ exclusiveMinimum: true }, ["exclusiveMinimum"], "must be a number"],
  [{ $defs: { unused: { enum: 1 } } }, ["$defs", "unused", "enum"], "must be a list"],
  [{ $ref: "#/$defs/none" }, ["$ref"], "names nothing"],
  [{ $ref: "https://elsewhere.example/schema" }, ["$ref"], "nothing outside"],
  [{ $ref: draft7 }, ["$ref"], "nothing outside"],
  [{ $ref: "file:///etc/passwd" }, ["$ref"], "nothing outside"],
  [{ $dynamicRef: "#x" }, ["$dynamicRef"], "isn't supported"],
  [{ $schema: "http://json-schema.org/draft-04/schema#" }, ["$schema"], "must be draft"],
  [{ pattern: "(" }, ["pattern"], "no regular expression"],
  [{ pattern: "(?=a)" }, ["pattern"], "without look-around"],
  [{ pattern: "(a)\\1" }, ["pattern"], "without look-around"],
  [{ patternProperties: { "[": true } }, ["patternProperties", "["], "no regular expression"],
];
test.each(faults)("%j can't be used", (schema, path, message) => {
  const compile = () => compileSchema(schema);
  expect(compile).toThrow(message);
  try {
    compile();
  } catch (error) {
    expect((error as SchemaFault).path).toEqual(path);
  }
});

/** Values that JSON can write, plain enough to be equal now and then. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, 1, 1.5, "", "a", "ab", "😀"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
  ),
})).value;
const some = fc.constantFrom(
  ...Object.values(cases)
    .flat()
    .map(({ schema }) => schema)
    // What refers to its own root can't be moved into another schema, and other drafts are the root's to name.
    .filter((schema) => !/"\$(ref|schema)"/.test(JSON.stringify(schema))),
);
const kind = (schema: unknown, value: unknown) => compileSchema(schema).validate(value, stepsMax).kind;

test("schemas combine as logic has it", () => {
  void fc.assert(
    fc.property(some, some, json, (one, other, value) => {
      const [a, b] = [one, other].map((schema) => kind(schema, value) === "valid");
      const judged = (schema: unknown) => kind(schema, value) === "valid";
      expect(judged({ not: one })).toBe(!a);
      expect(judged({ allOf: [one, other] })).toBe(a === true && b === true);
      expect(judged({ anyOf: [one, other] })).toBe(a === true || b === true);
      expect(judged({ oneOf: [one, other] })).toBe(a !== b);
      expect(judged(when(one, other, { not: other }))).toBe(a === b);
      expect(judged({ $ref: "#/$defs/one", $defs: { one } })).toBe(a === true);
      expect(kind({ items: one }, [value, value])).toBe(kind(one, value));
      expect(kind({ additionalProperties: one }, { x: value })).toBe(kind(one, value));
      expect(kind({ contains: one }, [value])).toBe(kind(one, value));
      expect(judged({ const: value })).toBe(true);
      expect(kind({ uniqueItems: true }, [value, structuredClone(value)])).toBe("invalid");
    }),
  );
});

test("no schema and no value make it fail, or spend more than it may", () => {
  const keyword = fc.constantFrom(
    ...Object.keys(
      Object.assign(
        {},
        ...Object.values(cases)
          .flat()
          .map(({ schema }) => schema),
      ),
    ),
  );
  const anySchema = fc.dictionary(keyword, fc.oneof(json, some), { maxKeys: 4 });
  void fc.assert(
    fc.property(anySchema, json, fc.integer({ min: 0, max: 200 }), (schema, value, steps) => {
      try {
        expect(["valid", "invalid", "too-expensive"]).toContain(
          compileSchema(schema).validate(value, steps).kind,
        );
      } catch (error) {
        expect(error).toBeInstanceOf(SchemaFault);
      }
    }),
  );
});
