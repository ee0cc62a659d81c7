/**
 * JSON Schema, drafts 7 and 2020-12, for schemas and values that strangers write: https://json-schema.org/specification.
 * Everything that a validation does is counted, and ends when that is too much; nothing is fetched, and no code is made.
 * `format` says nothing, as the specification has it by default; `$dynamicRef` is refused.
 */
import { arrayKeywords, unevaluatedItem } from "./array-keywords.ts";
import { type Compiler, type Draft, type Keyword, SchemaFault } from "./compiler.ts";
import { logicKeywords } from "./logic-keywords.ts";
import { objectKeywords, unevaluatedProperty } from "./object-keywords.ts";
import { compilePattern, type Pattern } from "./patterns.ts";
import { createReferences } from "./references.ts";
import {
  addSeen,
  type Check,
  createRun,
  type Fault,
  fault,
  nothingSeen,
  spend,
  TooExpensive,
} from "./run.ts";
import { isObject, type JsonObject } from "./subschemas.ts";
import { valueKeywords } from "./value-keywords.ts";

export { SchemaFault } from "./compiler.ts";

export type Outcome =
  | { kind: "valid" }
  /** Some of what is wrong: the places in the value and what was expected there. */
  | { kind: "invalid"; faults: Fault[] }
  | { kind: "too-expensive" };

export type Validator = {
  /** @param stepsMax about as many values, keywords and members as may be looked at */
  validate(value: unknown, stepsMax: number): Outcome;
};

const schemasMax = 10_000;
const pathMax = 400;
/** Instructions of all patterns together: compiling them takes time too. */
const patternsSizeMax = 20_000;

/** In this order they are checked: references and types first, what the others have left last. */
const keywords: Readonly<Record<string, Keyword>> = {
  ...logicKeywords,
  ...valueKeywords,
  ...objectKeywords,
  ...arrayKeywords,
  ...unevaluatedProperty,
  ...unevaluatedItem,
};
const laterThan7: ReadonlySet<string> = new Set([
  "$dynamicRef",
  "$recursiveRef",
  "dependentRequired",
  "dependentSchemas",
  "prefixItems",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

/**
 * @param schema out of JSON.parse
 * @throws SchemaFault that names the place in the schema
 */
export function compileSchema(schema: unknown): Validator {
  const check = createCompiler(schema).compile(schema, []);
  return {
    validate(value, stepsMax) {
      const run = createRun(stepsMax);
      try {
        return check(value, null, run, null)
          ? { kind: "valid" }
          : { kind: "invalid", faults: run.faults ?? [] };
      } catch (error) {
        if (error instanceof TooExpensive) return { kind: "too-expensive" };
        throw error;
      }
    },
  };
}

function createCompiler(root: unknown): Compiler {
  const draft = draftOf(root);
  const references = createReferences(isObject(root) ? root : {});
  const tracks = draft !== "7" && JSON.stringify(root).includes('"unevaluated');
  const checks = new Map<JsonObject, Check>();
  const patterns = new Map<string, Pattern>();
  let patternsSize = 0;

  const compiler: Compiler = {
    draft,
    compile(schema, path) {
      if (schema === true) return valid;
      if (schema === false) return forbidden;
      if (!isObject(schema)) throw new SchemaFault(path, "must be a schema: an object, true or false");
      const known = checks.get(schema);
      if (known !== undefined) return known;
      if (checks.size >= schemasMax) throw new SchemaFault(path, `is one too many: ${schemasMax} schemas`);
      if (path.length > pathMax) throw new SchemaFault(path, "nests too deep");
      // A schema may come to itself again before it is done.
      let done: Check | null = null;
      checks.set(schema, (value, at, run, seen) => (done as Check)(value, at, run, seen));
      done = combine(compileKeywords(schema, compiler, path), tracks);
      checks.set(schema, done);
      return done;
    },
    reference(from, ref, path) {
      if (typeof ref !== "string") throw new SchemaFault(path, "must be a string");
      const target = references.resolve(from, ref);
      if (target === null) {
        throw new SchemaFault(path, "names nothing in this schema, and nothing outside of it is looked up");
      }
      return compiler.compile(target, path);
    },
    pattern(pattern, path) {
      const known = patterns.get(pattern);
      if (known !== undefined) return known;
      try {
        const { search, size } = compilePattern(pattern);
        patternsSize += size;
        if (patternsSize > patternsSizeMax) throw new Error("is one pattern too many, or too long");
        patterns.set(pattern, search);
        return search;
      } catch (error) {
        throw new SchemaFault(path, (error as Error).message);
      }
    },
  };
  return compiler;
}

function compileKeywords(schema: JsonObject, compiler: Compiler, path: string[]): Check[] {
  // Beside a reference, draft 7 reads nothing.
  const alone = compiler.draft === "7" && Object.hasOwn(schema, "$ref");
  return Object.entries(keywords).flatMap(([name, keyword]) => {
    const passed = compiler.draft === "7" && laterThan7.has(name);
    if (!Object.hasOwn(schema, name) || passed || (alone && name !== "$ref")) return [];
    return keyword(schema[name], schema, compiler, [...path, name]) ?? [];
  });
}

/** @param tracks whether what was looked at is to be remembered */
function combine(checks: Check[], tracks: boolean): Check {
  return (value, at, run, outer) => {
    spend(run, 1 + checks.length);
    const seen = tracks ? nothingSeen() : null;
    let valid = true;
    for (const check of checks) {
      if (check(value, at, run, seen)) continue;
      valid = false;
      if (run.faults === null) return false;
    }
    if (valid && seen !== null && outer !== null) addSeen(run, outer, seen);
    return valid;
  };
}

const valid: Check = () => true;
const forbidden: Check = (_value, at, run) => fault(run, at, "must not be there");

const drafts: readonly [RegExp, Draft][] = [
  [/^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, "7"],
  [/^https?:\/\/json-schema\.org\/draft\/20(19-09|20-12)\/schema#?$/, "2020-12"],
];

function draftOf(root: unknown): Draft {
  if (!isObject(root) || root.$schema === undefined) return "2020-12";
  const named = root.$schema;
  const found = typeof named === "string" ? drafts.find(([url]) => url.test(named)) : undefined;
  if (found === undefined) throw new SchemaFault(["$schema"], "must be draft 6, 7, 2019-09 or 2020-12");
  return found[1];
}
