import { ElysiaCustomStatusResponse } from "../lib/elysia/index.ts";
import { stringify } from "../lib/raw-json.ts";

type Answering = {
  /** What the handler returned. */
  responseValue?: unknown;
  set: { status?: number | string; headers: Record<string, unknown> };
};

/**
 * Writes what goes out as text, `RawJson` byte by byte. The framework puts its headers on a text as it makes the
 * Response, and would make one of ours a second time.
 * @returns null for a ready-made Response, and for nothing
 */
export function writeAnswer({ responseValue, set }: Answering): string | null {
  let value = responseValue;
  // Routes without a schema keep `status(…)` as it was returned.
  if (value instanceof ElysiaCustomStatusResponse) {
    set.status = value.code;
    value = value.response;
  }
  if (typeof value !== "object" || value === null || value instanceof Response) return null;
  set.headers["content-type"] = "application/json";
  return stringify(value);
}
