import type { Pattern } from "./patterns.ts";
import { type Check, type Place, type Run, spend } from "./run.ts";
import { isObject, type JsonObject } from "./subschemas.ts";

export type Draft = "7" | "2020-12";

/** What keywords are compiled with. */
export type Compiler = {
  draft: Draft;
  compile(schema: unknown, path: string[]): Check;
  /** What a `$ref` in this schema stands for. */
  reference(from: JsonObject, ref: unknown, path: string[]): Check;
  pattern(pattern: string, path: string[]): Pattern;
};

/** Makes a check of a keyword's value; null when it checks nothing by itself. */
export type Keyword = (
  given: unknown,
  schema: JsonObject,
  compiler: Compiler,
  path: string[],
) => Check | null;

/** A schema that can't be used, and where in it. */
export class SchemaFault extends Error {
  constructor(
    readonly path: string[],
    message: string,
  ) {
    super(message);
    this.name = "SchemaFault";
  }
}

export function requireMap(given: unknown, path: string[]): JsonObject {
  if (!isObject(given)) throw new SchemaFault(path, "must be an object");
  return given;
}

export function requireList(given: unknown, path: string[]): unknown[] {
  if (!Array.isArray(given)) throw new SchemaFault(path, "must be a list");
  return given;
}

export function requireNames(given: unknown, path: string[]): string[] {
  const names = requireList(given, path);
  if (!names.every((name): name is string => typeof name === "string")) {
    throw new SchemaFault(path, "must be a list of strings");
  }
  return names;
}

export function requireNumber(given: unknown, path: string[]): number {
  if (typeof given !== "number") throw new SchemaFault(path, "must be a number");
  return given;
}

export function requireCount(given: unknown, path: string[]): number {
  if (typeof given !== "number" || !Number.isInteger(given) || given < 0) {
    throw new SchemaFault(path, "must be a whole number, 0 or more");
  }
  return given;
}

/** Whether all hold. Goes on after one that doesn't only while that leaves something to tell. */
export function every<T>(run: Run, items: Iterable<T>, holds: (item: T) => boolean): boolean {
  let valid = true;
  for (const item of items) {
    spend(run, 1);
    if (holds(item)) continue;
    valid = false;
    if (run.faults === null) break;
  }
  return valid;
}

export const inside = (within: Place, key: string | number): Place => ({ within, key });
