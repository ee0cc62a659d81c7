import { type Run, spend } from "./run.ts";

/** Characters that are copied in the time of a step. */
const charactersPerStep = 16;

/**
 * A text that two JSON values share exactly when JSON Schema calls them equal: numbers by their value, objects whatever
 * the order of their keys.
 * @param run pays for the length of it
 */
export function equalityKey(value: unknown, run: Run): string {
  spend(run, 1);
  if (typeof value === "string") {
    spend(run, Math.floor(value.length / charactersPerStep));
    return JSON.stringify(value);
  }
  // JSON has no -0 beside 0 that counts as another number.
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => equalityKey(item, run)).join()}]`;
  const keys = Object.keys(value).sort();
  spend(run, keys.length);
  const members = keys.map(
    (key) => `${equalityKey(key, run)}:${equalityKey((value as Record<string, unknown>)[key], run)}`,
  );
  return `{${members.join()}}`;
}
