import type { Static, TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { stringify } from "../lib/raw-json.ts";
import { AppError } from "../services/errors.ts";

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

/**
 * A JSON response whose `RawJson` parts go out byte by byte. The framework checks no ready-made Response, so the value
 * is checked here; a RawJson passes as the object that it stands for.
 * @throws AppError server_error, as any response that breaks its schema
 */
export function rawResponse<S extends TSchema>(schema: S, value: Static<S>): Response {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = TypeCompiler.Compile(schema as TSchema);
    compiled.set(schema, check);
  }
  if (!check.Check(value)) {
    const where = [...check.Errors(value)].map((fault) => `${fault.path}: ${fault.message}`).join("; ");
    throw new AppError("server_error", { internal: `a response broke its schema: ${where}` });
  }
  return new Response(stringify(value), { headers: { "content-type": "application/json" } });
}
