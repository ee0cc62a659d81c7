/** Keywords about the items of lists. */
import { every, inside, type Keyword, requireCount, requireList } from "./compiler.ts";
import { equalityKey } from "./equality.ts";
import { type Check, descend, fault, probe } from "./run.ts";

function tuple(
  schemas: unknown[],
  compile: (schema: unknown, path: string[]) => Check,
  path: string[],
): Check {
  const checks = schemas.map((one, n) => [n, compile(one, [...path, String(n)])] as const);
  return (value, at, run, seen) =>
    !Array.isArray(value) ||
    every(run, checks.slice(0, value.length), ([n, check]) => {
      seen?.items.add(n);
      return descend(check, value[n], inside(at, n), run, null);
    });
}

/** Of the items from a place on. */
const rest =
  (check: Check, from: number): Check =>
  (value, at, run, seen) => {
    if (!Array.isArray(value) || value.length <= from) return true;
    let n = from - 1;
    return every(run, from === 0 ? value : value.slice(from), (item) => {
      n += 1;
      seen?.items.add(n);
      return descend(check, item, inside(at, n), run, null);
    });
  };

const prefixItems: Keyword = (given, _schema, compiler, path) =>
  tuple(requireList(given, path), compiler.compile, path);

/** A list of schemas, as before 2020-12, is what `prefixItems` is now. */
const items: Keyword = (given, schema, compiler, path) => {
  if (Array.isArray(given)) return tuple(given, compiler.compile, path);
  const { prefixItems } = schema;
  const from = compiler.draft !== "7" && Array.isArray(prefixItems) ? prefixItems.length : 0;
  return rest(compiler.compile(given, path), from);
};

const additionalItems: Keyword = (given, schema, compiler, path) =>
  Array.isArray(schema.items) ? rest(compiler.compile(given, path), schema.items.length) : null;

const unevaluatedItems: Keyword = (given, _schema, compiler, path) => {
  const check = compiler.compile(given, path);
  return (value, at, run, seen) =>
    !Array.isArray(value) ||
    every(run, value.keys(), (n) => {
      if (seen?.items.has(n)) return true;
      seen?.items.add(n);
      return descend(check, value[n], inside(at, n), run, null);
    });
};

const contains: Keyword = (given, schema, compiler, path) => {
  const check = compiler.compile(given, path);
  const limit = (keyword: string) =>
    schema[keyword] === undefined || compiler.draft === "7"
      ? null
      : requireCount(schema[keyword], [...path.slice(0, -1), keyword]);
  const min = limit("minContains") ?? 1;
  const max = limit("maxContains") ?? Number.POSITIVE_INFINITY;
  return (value, at, run, seen) => {
    if (!Array.isArray(value)) return true;
    let found = 0;
    for (const [n, item] of value.entries()) {
      if (!probe(check, item, inside(at, n), run, null)) continue;
      found += 1;
      seen?.items.add(n);
    }
    if (found < min)
      return fault(run, at, `must have at least ${min} items of the kind that the schema names`);
    return found <= max || fault(run, at, `must have at most ${max} items of the kind that the schema names`);
  };
};

const size =
  (holds: (count: number, limit: number) => boolean, message: (limit: number) => string): Keyword =>
  (given, _schema, _compiler, path) => {
    const limit = requireCount(given, path);
    return (value, at, run) =>
      !Array.isArray(value) || holds(value.length, limit) || fault(run, at, message(limit));
  };

const uniqueItems: Keyword = (given) => {
  if (given !== true) return null;
  return (value, at, run) => {
    if (!Array.isArray(value)) return true;
    const known = new Set<string>();
    return every(run, value.entries(), ([n, item]) => {
      const key = equalityKey(item, run);
      if (known.has(key)) return fault(run, inside(at, n), "is there already: items must be unique");
      known.add(key);
      return true;
    });
  };
};

export const arrayKeywords: Readonly<Record<string, Keyword>> = {
  prefixItems,
  items,
  additionalItems,
  contains,
  minItems: size(
    (count, limit) => count >= limit,
    (limit) => `must have at least ${limit} items`,
  ),
  maxItems: size(
    (count, limit) => count <= limit,
    (limit) => `must have at most ${limit} items`,
  ),
  uniqueItems,
};

/** To be checked after all others of a schema: about what those have left. */
export const unevaluatedItem = { unevaluatedItems };
