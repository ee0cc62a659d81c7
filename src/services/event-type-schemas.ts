/** The highest version; versions that are no numbers come before those that are. Undefined when there is none. */
export function newestVersion(schemas: Record<string, unknown>): string | undefined {
  const number = (version: string) => (/^\d+$/.test(version) ? Number(version) : -1);
  return Object.keys(schemas)
    .sort((a, b) => number(a) - number(b))
    .at(-1);
}

export const newestSchema = (schemas: Record<string, unknown>): unknown =>
  schemas[newestVersion(schemas) ?? ""];
