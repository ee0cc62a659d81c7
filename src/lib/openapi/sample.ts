import type { JsonSchema } from "./json-schema.ts";

type Schemas = Record<string, JsonSchema>;
const time = "2026-01-02T03:04:05.678Z";

/**
 * A value as the schema describes it, out of the examples that it carries, whole or in its parts. What is deprecated is
 * left out, unless it is always there.
 */
export function sampleOf(schema: JsonSchema, schemas: Schemas): unknown {
  if (typeof schema.$ref === "string") {
    return sampleOf(schemas[schema.$ref.slice("#/components/schemas/".length)] ?? {}, schemas);
  }
  const [example] = (schema.examples as unknown[] | undefined) ?? [];
  if (example !== undefined) return example;
  if (schema.default !== undefined) return schema.default;
  const [value] = (schema.enum as unknown[] | undefined) ?? [];
  if (value !== undefined) return value;
  const [branch] = (schema.anyOf as JsonSchema[] | undefined) ?? [];
  if (branch !== undefined) return sampleOf(branch, schemas);
  const [type] = [schema.type].flat();
  switch (type) {
    case "object":
      return sampleObject(schema, schemas);
    case "array":
      return [sampleOf(schema.items as JsonSchema, schemas)];
    case "integer":
    case "number":
      return typeof schema.minimum === "number" ? schema.minimum : 0;
    case "boolean":
      return false;
    case "null":
      return null;
    case "string":
      return schema.format === "date-time" ? time : "text";
    default:
      return {};
  }
}

function sampleObject(schema: JsonSchema, schemas: Schemas): Record<string, unknown> {
  const required = (schema.required ?? []) as string[];
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  return Object.fromEntries(
    properties
      .filter(([key, property]) => property.deprecated !== true || required.includes(key))
      .map(([key, property]) => [key, sampleOf(property, schemas)]),
  );
}
