import { ValueErrorType } from "@sinclair/typebox/errors";
import { ValidationError } from "../lib/elysia/index.ts";
import { isRetriable, isUnavailable } from "../lib/postgres-errors.ts";
import { innermost, type SchemaFault } from "../schemas/faults.ts";
import { AppError, errorBody, invalid, type ValidationIssue } from "../services/errors.ts";

/** A query parameter of another type than its schema's is a 400, as in the reference server; out of range is a 422. */
const wrongTypes: ReadonlySet<number> = new Set([
  ValueErrorType.Integer,
  ValueErrorType.Number,
  ValueErrorType.Boolean,
  ValueErrorType.Union,
]);

/** Gives every thrown thing its name: ours as it is, the framework's by its code, the rest an opaque 500. */
export function toAppError(code: unknown, error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof ValidationError) return fromValidation(error);
  if (code === "NOT_FOUND") return new AppError("not_found");
  if (code === "PARSE")
    return error instanceof Error && error.cause instanceof AppError
      ? error.cause
      : invalid(["body"], "can't be read");
  if (isUnavailable(error) || isRetriable(error)) return new AppError("unavailable", { cause: error });
  return new AppError("server_error", { cause: error });
}

function fromValidation(error: ValidationError): AppError {
  // A broken response names no value to the client: it is our fault, and what it held may be nobody's business.
  const faults = error.all as SchemaFault[];
  if (error.type === "response") {
    const where = faults.map((fault) => `${fault.path}: ${fault.message}`).join("; ");
    return new AppError("server_error", { internal: `a response broke its schema: ${where}` });
  }
  // What can't be an id or a uid names nothing.
  if (error.type === "params") return new AppError("not_found");
  const issues = faults.map((fault): ValidationIssue => {
    const { path = "", message = "is not valid" } = innermost(fault);
    const loc = path.split("/").filter((part) => part !== "");
    return { loc: [error.type, ...loc], msg: message, type: "value_error" };
  });
  const first = faults[0];
  if (error.type === "query" && first?.type !== undefined && wrongTypes.has(first.type)) {
    const [issue] = issues;
    return new AppError("generic_error", {
      detail: `Query parameter ${issue?.loc.slice(1).join(".")}: ${issue?.msg}`,
    });
  }
  return new AppError("validation", {
    issues: issues.length > 0 ? issues : [{ loc: [error.type], msg: error.message, type: "value_error" }],
  });
}

/** The error as it goes out. What will pass soon says when to come back. */
export function errorResponse(error: AppError): Response {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (error.status === 503) headers["retry-after"] = "1";
  return new Response(JSON.stringify(errorBody(error)), { status: error.status, headers });
}
