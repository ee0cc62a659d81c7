import { ElysiaCustomStatusResponse } from "../lib/elysia/index.ts";
import { stringify } from "../lib/raw-json.ts";

/**
 * Writes what goes out as text, `RawJson` byte by byte. The framework puts its headers on a text as it makes the
 * Response, and would make one of ours a second time.
 * @param returned by the handler, or by the mapping of an error
 * @returns null for a ready-made Response, and for nothing
 */
export function writeAnswer(
  returned: unknown,
  set: { status?: number | string; headers: Record<string, unknown> },
): string | null {
  let value = returned;
  // Routes without a schema keep `status(…)` as it was returned.
  if (value instanceof ElysiaCustomStatusResponse) {
    set.status = value.code;
    value = value.response;
  }
  if (typeof value !== "object" || value === null || value instanceof Response) return null;
  set.headers["content-type"] = "application/json";
  return stringify(value);
}
