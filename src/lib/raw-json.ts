/**
 * JSON that is already text. `stringify` copies it into its place as it is, so that what was sent keeps its key order,
 * its numbers' spelling (`12345678901234567890`, `1.0`) and its escapes: nothing parses it on the way.
 */
export class RawJson {
  /** @param text valid JSON; nobody checks it again */
  constructor(readonly text: string) {}
}

/** `JSON.stringify` for plain data (objects, arrays, strings, numbers, booleans, null) with `RawJson` in it. */
export function stringify(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(stringify).join(",")}]`;
  let members = "";
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(key)}:${stringify(member)}`;
  }
  return `{${members}}`;
}
