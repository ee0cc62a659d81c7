/** Keywords about the members of objects. */
import { every, inside, type Keyword, requireCount, requireMap, requireNames } from "./compiler.ts";
import { type Check, descend, fault, type Run, spend } from "./run.ts";
import { isObject, type JsonObject } from "./subschemas.ts";

const properties: Keyword = (given, _schema, compiler, path) => {
  const checks = Object.entries(requireMap(given, path)).map(
    ([name, schema]) => [name, compiler.compile(schema, [...path, name])] as const,
  );
  return (value, at, run, seen) =>
    !isObject(value) ||
    every(run, checks, ([name, check]) => {
      if (!Object.hasOwn(value, name)) return true;
      seen?.names.add(name);
      return descend(check, value[name], inside(at, name), run, null);
    });
};

const patternProperties: Keyword = (given, _schema, compiler, path) => {
  const checks = Object.entries(requireMap(given, path)).map(([pattern, schema]) => {
    const place = [...path, pattern];
    return [compiler.pattern(pattern, place), compiler.compile(schema, place)] as const;
  });
  return (value, at, run, seen) =>
    !isObject(value) ||
    every(run, Object.keys(value), (name) =>
      every(run, checks, ([search, check]) => {
        if (!search(name, run)) return true;
        seen?.names.add(name);
        return descend(check, value[name], inside(at, name), run, null);
      }),
    );
};

/** Of the members that `properties` and `patternProperties` of this schema say nothing about. */
const additionalProperties: Keyword = (given, schema, compiler, path) => {
  const check = compiler.compile(given, path);
  const known = new Set(isObject(schema.properties) ? Object.keys(schema.properties) : []);
  const patterns = isObject(schema.patternProperties) ? Object.keys(schema.patternProperties) : [];
  const searches = patterns.map((pattern) => compiler.pattern(pattern, path));
  const isKnown = (name: string, run: Run) => known.has(name) || searches.some((search) => search(name, run));
  return (value, at, run, seen) =>
    !isObject(value) ||
    every(run, Object.keys(value), (name) => {
      if (isKnown(name, run)) return true;
      seen?.names.add(name);
      return descend(check, value[name], inside(at, name), run, null);
    });
};

const unevaluatedProperties: Keyword = (given, _schema, compiler, path) => {
  const check = compiler.compile(given, path);
  return (value, at, run, seen) =>
    !isObject(value) ||
    every(run, Object.keys(value), (name) => {
      if (seen?.names.has(name)) return true;
      seen?.names.add(name);
      return descend(check, value[name], inside(at, name), run, null);
    });
};

const propertyNames: Keyword = (given, _schema, compiler, path) => {
  const check = compiler.compile(given, path);
  return (value, at, run) =>
    !isObject(value) ||
    every(run, Object.keys(value), (name) => descend(check, name, inside(at, name), run, null));
};

const required: Keyword = (given, _schema, _compiler, path) => {
  const names = requireNames(given, path);
  return (value, at, run) => !isObject(value) || hasAll(value, names, (name) => inside(at, name), run);
};

const hasAll = (
  value: JsonObject,
  names: readonly string[],
  place: (name: string) => ReturnType<typeof inside>,
  run: Run,
): boolean =>
  every(run, names, (name) => Object.hasOwn(value, name) || fault(run, place(name), "is missing"));

const size =
  (holds: (count: number, limit: number) => boolean, message: (limit: number) => string): Keyword =>
  (given, _schema, _compiler, path) => {
    const limit = requireCount(given, path);
    return (value, at, run) => {
      if (!isObject(value)) return true;
      const count = Object.keys(value).length;
      spend(run, count);
      return holds(count, limit) || fault(run, at, message(limit));
    };
  };

const dependentRequired: Keyword = (given, _schema, _compiler, path) => {
  const wanted = Object.entries(requireMap(given, path)).map(
    ([name, names]) => [name, requireNames(names, [...path, name])] as const,
  );
  return (value, at, run) =>
    !isObject(value) ||
    every(
      run,
      wanted,
      ([name, names]) => !Object.hasOwn(value, name) || hasAll(value, names, (one) => inside(at, one), run),
    );
};

const dependentSchemas: Keyword = (given, _schema, compiler, path) => {
  const checks = Object.entries(requireMap(given, path)).map(
    ([name, schema]) => [name, compiler.compile(schema, [...path, name])] as const,
  );
  return (value, at, run, seen) =>
    !isObject(value) ||
    every(
      run,
      checks,
      ([name, check]) => !Object.hasOwn(value, name) || descend(check, value, at, run, seen),
    );
};

/** Draft 7's name for both: a list of names, or a schema. */
const dependencies: Keyword = (given, schema, compiler, path) => {
  const entries = Object.entries(requireMap(given, path));
  const lists = entries.filter(([, one]) => Array.isArray(one));
  const schemas = entries.filter(([, one]) => !Array.isArray(one));
  const checks = [
    dependentRequired(Object.fromEntries(lists), schema, compiler, path),
    dependentSchemas(Object.fromEntries(schemas), schema, compiler, path),
  ] as Check[];
  return (value, at, run, seen) => every(run, checks, (check) => check(value, at, run, seen));
};

export const objectKeywords: Readonly<Record<string, Keyword>> = {
  properties,
  patternProperties,
  additionalProperties,
  propertyNames,
  required,
  minProperties: size(
    (count, limit) => count >= limit,
    (limit) => `must have at least ${limit} members`,
  ),
  maxProperties: size(
    (count, limit) => count <= limit,
    (limit) => `must have at most ${limit} members`,
  ),
  dependentRequired,
  dependentSchemas,
  dependencies,
};

/** To be checked after all others of a schema: about what those have left. */
export const unevaluatedProperty = { unevaluatedProperties };
