export type JsonObject = Record<string, unknown>;

/** Of what JSON can hold: no list, and not null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
