import { Kind, OptionalKind, TransformKind, type TSchema } from "@sinclair/typebox";

/** JSON Schema 2020-12, which is what OpenAPI 3.1 speaks. */
export type JsonSchema = { [keyword: string]: unknown };

export type Components = {
  /** A schema as it stands in the document: by reference when it has a name. */
  use(schema: TSchema): JsonSchema;
  /** Those that were used, by name. */
  schemas(): Record<string, JsonSchema>;
};

/** @param names what the schemas are called that the document holds once; the others stand where they are used */
export function createComponents(names: Iterable<readonly [string, TSchema]>): Components {
  const byIdentity = new Map<unknown, string>();
  for (const [name, schema] of names) byIdentity.set(identity(schema), name);
  const found = new Map<string, JsonSchema>();

  const use = (schema: TSchema): JsonSchema => {
    const name = byIdentity.get(identity(schema));
    if (name === undefined) return convert(schema, use);
    if (!found.has(name)) {
      // Held open while it is converted, for one that refers to itself.
      found.set(name, {});
      const { description, examples, ...rest } = convert(schema, use);
      found.set(name, {
        ...(description !== undefined && { description }),
        ...rest,
        ...(examples !== undefined && { examples }),
      });
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  return {
    use,
    schemas: () => Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** `Type.Optional` copies a schema; what is inside stays the same object. */
function identity(schema: TSchema): unknown {
  return schema.properties ?? schema.anyOf ?? schema;
}

/** Formats that mean something to our own validator only. */
const ownFormats: ReadonlySet<unknown> = new Set(["text"]);

function convert(schema: TSchema, use: (schema: TSchema) => JsonSchema): JsonSchema {
  switch (schema[Kind]) {
    case "Union":
      return TransformKind in schema ? textualNumber(schema) : union(schema, use);
    case "Object":
      return object(schema, use);
    case "Record":
      return record(schema, use);
    case "Array":
      return { ...keywords(schema), items: use(schema.items) };
    case "Literal":
      return { ...without(keywords(schema), "const"), enum: [schema.const] };
    default:
      return ownFormats.has(schema.format) ? without(keywords(schema), "format") : keywords(schema);
  }
}

/** What a schema says in JSON: no symbols. */
function keywords(schema: TSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema;
}

function without(schema: JsonSchema, ...left: string[]): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !left.includes(keyword)));
}

function object(schema: TSchema, use: (schema: TSchema) => JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties as Record<string, TSchema>);
  // Only of an object of nothing but unknown members is it news that it is open. And none is closed: ours may grow, and
  // the framework marks an output closed as soon as it has made its check.
  const left = properties.length > 0 ? ["properties", "additionalProperties"] : ["properties"];
  return {
    ...without(keywords(schema), ...left),
    ...(properties.length > 0 && {
      properties: Object.fromEntries(properties.map(([key, of]) => [key, use(of)])),
    }),
  };
}

/** A record with any keys is told by its values. */
function record(schema: TSchema, use: (schema: TSchema) => JsonSchema): JsonSchema {
  const patterns = Object.entries(schema.patternProperties as Record<string, TSchema>);
  const [[pattern, value] = []] = patterns;
  const rest = without(keywords(schema), "patternProperties");
  if (patterns.length === 1 && pattern === "^(.*)$" && value) {
    return { ...rest, additionalProperties: use(value) };
  }
  return { ...rest, patternProperties: Object.fromEntries(patterns.map(([key, of]) => [key, use(of)])) };
}

/** A number that comes as text, in a query, is a number to the reader. */
function textualNumber(schema: TSchema): JsonSchema {
  const number = (schema.anyOf as TSchema[]).find(({ type }) => type === "integer" || type === "number");
  if (number === undefined) return without(keywords(schema), "anyOf");
  return { type: number.type, ...without(keywords(schema), "anyOf") };
}

function union(schema: TSchema, use: (schema: TSchema) => JsonSchema): JsonSchema {
  const own = without(keywords(schema), "anyOf");
  const branches = schema.anyOf as TSchema[];
  const literals = literalsOf(schema);
  if (literals !== null) return { type: typeOf(literals), ...own, enum: literals };
  const [first, second] = branches;
  if (branches.length === 2 && first && second?.[Kind] === "Null") {
    const { description, examples, ...shape } = use(first);
    const notes = {
      ...(description !== undefined && { description }),
      ...(examples !== undefined && { examples }),
      ...own,
    };
    if (typeof shape.type !== "string") return { ...notes, anyOf: [shape, { type: "null" }] };
    const values = shape.enum as unknown[] | undefined;
    return { ...shape, type: [shape.type, "null"], ...(values && { enum: [...values, null] }), ...notes };
  }
  return { ...own, anyOf: branches.map(use) };
}

/** The values of a union of nothing but literals, nested or not; null when it has anything else. */
function literalsOf(schema: TSchema): unknown[] | null {
  if (schema[Kind] === "Literal") return [schema.const];
  if (schema[Kind] !== "Union") return null;
  const values = (schema.anyOf as TSchema[]).map(literalsOf);
  return values.some((value) => value === null) ? null : values.flat();
}

function typeOf(values: unknown[]): string | string[] {
  const types = [...new Set(values.map((value) => (Number.isInteger(value) ? "integer" : typeof value)))];
  return types.length === 1 ? (types[0] as string) : types;
}

/** Whether an object's property or a route's parameter may be left out. */
export const isOptional = (schema: TSchema): boolean => schema[OptionalKind] === "Optional";
/** Whether it is worth a name: an object, or a closed list of values. */
export const isNameable = (schema: TSchema): boolean =>
  schema[Kind] === "Object" ||
  schema[Kind] === "Intersect" ||
  (schema[Kind] === "Union" && literalsOf(schema) !== null);
