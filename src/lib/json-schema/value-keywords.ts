/** Keywords about a value by itself. */
import { type Keyword, requireCount, requireList, requireNumber, SchemaFault } from "./compiler.ts";
import { equalityKey } from "./equality.ts";
import { isMultiple } from "./multiples.ts";
import { type Check, createRun, fault, spend } from "./run.ts";
import { isObject } from "./subschemas.ts";

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  array: Array.isArray,
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  null: (value) => value === null,
  number: (value) => typeof value === "number",
  object: isObject,
  string: (value) => typeof value === "string",
};

const type: Keyword = (given, _schema, _compiler, path) => {
  const names = Array.isArray(given) ? given : [given];
  const tests = names.map((name) => {
    const test = typeof name === "string" && Object.hasOwn(types, name) ? types[name] : undefined;
    if (test === undefined) {
      throw new SchemaFault(path, `must be of ${Object.keys(types).join(", ")}, or a list of these`);
    }
    return test;
  });
  return (value, at, run) =>
    tests.some((test) => test(value)) || fault(run, at, `must be of the type ${names.join(" or ")}`);
};

/** What equals one of these values. */
function oneOfValues(values: unknown[], message: string): Check {
  const known = new Set(values.map((value) => equalityKey(value, createRun(Number.POSITIVE_INFINITY))));
  const flat = values.every((value) => typeof value !== "object" || value === null);
  return (value, at, run) => {
    // Among plain values nothing that has members can be found: its text, which may be long, is not needed.
    const found =
      !(flat && typeof value === "object" && value !== null) && known.has(equalityKey(value, run));
    return found || fault(run, at, message);
  };
}

const enumeration: Keyword = (given, _schema, _compiler, path) =>
  oneOfValues(requireList(given, path), "must be one of the values that the schema lists");

const constant: Keyword = (given) => oneOfValues([given], "must be the value that the schema gives");

const number =
  (holds: (value: number, limit: number) => boolean, message: (limit: number) => string): Keyword =>
  (given, _schema, _compiler, path) => {
    const limit = requireNumber(given, path);
    return (value, at, run) =>
      typeof value !== "number" || holds(value, limit) || fault(run, at, message(limit));
  };

/** It takes whole numbers of hundreds of digits. */
const multipleOfSteps = 10;

const multipleOf: Keyword = (given, _schema, _compiler, path) => {
  const step = requireNumber(given, path);
  if (!(step > 0)) throw new SchemaFault(path, "must be more than 0");
  return (value, at, run) => {
    if (typeof value !== "number") return true;
    spend(run, multipleOfSteps);
    return isMultiple(value, step) || fault(run, at, `must be a multiple of ${step}`);
  };
};

/** Characters that are counted in the time of a step. */
const charactersPerStep = 4;

const length =
  (holds: (length: number, limit: number) => boolean, message: (limit: number) => string): Keyword =>
  (given, _schema, _compiler, path) => {
    const limit = requireCount(given, path);
    return (value, at, run) => {
      if (typeof value !== "string") return true;
      spend(run, Math.floor(value.length / charactersPerStep));
      let characters = 0;
      for (const _ of value) characters += 1;
      return holds(characters, limit) || fault(run, at, message(limit));
    };
  };

const pattern: Keyword = (given, _schema, compiler, path) => {
  if (typeof given !== "string") throw new SchemaFault(path, "must be a string");
  const search = compiler.pattern(given, path);
  return (value, at, run) =>
    typeof value !== "string" || search(value, run) || fault(run, at, "must match the schema's pattern");
};

export const valueKeywords: Readonly<Record<string, Keyword>> = {
  type,
  enum: enumeration,
  const: constant,
  minimum: number(
    (value, limit) => value >= limit,
    (limit) => `must be at least ${limit}`,
  ),
  maximum: number(
    (value, limit) => value <= limit,
    (limit) => `must be at most ${limit}`,
  ),
  exclusiveMinimum: number(
    (value, limit) => value > limit,
    (limit) => `must be more than ${limit}`,
  ),
  exclusiveMaximum: number(
    (value, limit) => value < limit,
    (limit) => `must be less than ${limit}`,
  ),
  multipleOf,
  minLength: length(
    (count, limit) => count >= limit,
    (limit) => `must have at least ${limit} characters`,
  ),
  maxLength: length(
    (count, limit) => count <= limit,
    (limit) => `must have at most ${limit} characters`,
  ),
  pattern,
};
