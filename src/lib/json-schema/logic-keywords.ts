/** Keywords that apply other schemas to the same value. */
import { every, type Keyword, requireList, requireMap, SchemaFault } from "./compiler.ts";
import { type Check, descend, fault, probe } from "./run.ts";

function branches(
  given: unknown,
  compile: (schema: unknown, path: string[]) => Check,
  path: string[],
): Check[] {
  const schemas = requireList(given, path);
  if (schemas.length === 0) throw new SchemaFault(path, "must have one schema or more");
  return schemas.map((schema, n) => compile(schema, [...path, String(n)]));
}

const allOf: Keyword = (given, _schema, compiler, path) => {
  const checks = branches(given, compiler.compile, path);
  return (value, at, run, seen) => every(run, checks, (check) => descend(check, value, at, run, seen));
};

const anyOf: Keyword = (given, _schema, compiler, path) => {
  const checks = branches(given, compiler.compile, path);
  return (value, at, run, seen) => {
    let valid = false;
    for (const check of checks) {
      if (!probe(check, value, at, run, seen)) continue;
      valid = true;
      // Later ones may still look at members.
      if (seen === null) break;
    }
    return valid || fault(run, at, "must match one of the schema's alternatives (anyOf)");
  };
};

const oneOf: Keyword = (given, _schema, compiler, path) => {
  const checks = branches(given, compiler.compile, path);
  return (value, at, run, seen) => {
    let matches = 0;
    for (const check of checks) {
      if (probe(check, value, at, run, seen)) matches += 1;
      if (matches > 1) break;
    }
    if (matches === 1) return true;
    const many = matches === 0 ? "none" : "several";
    return fault(run, at, `must match exactly one of the schema's alternatives (oneOf), and matches ${many}`);
  };
};

const not: Keyword = (given, _schema, compiler, path) => {
  const check = compiler.compile(given, path);
  return (value, at, run) =>
    !probe(check, value, at, run, null) || fault(run, at, "must not match what the schema excludes (not)");
};

const condition: Keyword = (given, schema, compiler, path) => {
  const check = compiler.compile(given, path);
  const branch = (keyword: string) =>
    schema[keyword] === undefined ? null : compiler.compile(schema[keyword], [...path.slice(0, -1), keyword]);
  const [yes, no] = [branch("then"), branch("else")];
  return (value, at, run, seen) => {
    const next = probe(check, value, at, run, seen) ? yes : no;
    return next === null || descend(next, value, at, run, seen);
  };
};

/** Compiled where they stand, so that a fault in one is told by its own place. */
const definitions: Keyword = (given, _schema, compiler, path) => {
  for (const [name, schema] of Object.entries(requireMap(given, path)))
    compiler.compile(schema, [...path, name]);
  return null;
};

const reference: Keyword = (given, schema, compiler, path) => {
  const check = compiler.reference(schema, given, path);
  return (value, at, run, seen) => descend(check, value, at, run, seen);
};

const unsupported: Keyword = (_given, _schema, _compiler, path) => {
  throw new SchemaFault(path, "isn't supported: $ref is");
};

export const logicKeywords: Readonly<Record<string, Keyword>> = {
  $defs: definitions,
  definitions,
  $ref: reference,
  $dynamicRef: unsupported,
  $recursiveRef: unsupported,
  allOf,
  anyOf,
  oneOf,
  not,
  if: condition,
};
