import { invalid } from "../services/errors.ts";
import type { Answer, KeyedRequest } from "../services/idempotency.ts";

/** Accepting a message settles its key in its own statement. */
const acceptsMessage = /^\/api\/v1\/app\/[^/]+\/msg$/;

export const idempotencyKeyLengthMax = 256;

/** Null without one, or with an empty one: taken for a key, that would make one request of all that come with it. */
export function idempotencyKeyOf({ headers }: Request): string | null {
  const key = headers.get("idempotency-key");
  if (key !== null && key.length > idempotencyKeyLengthMax)
    throw invalid(["header", "idempotency-key"], `is longer than ${idempotencyKeyLengthMax} characters`);
  return key || null;
}

/** What a request is known by that comes with a key; null without one, and where the handler sees to it. */
export function keyedRequest(request: Request, body: string): KeyedRequest | null {
  if (request.method !== "POST") return null;
  const key = idempotencyKeyOf(request);
  if (key === null) return null;
  const url = new URL(request.url);
  const path = url.pathname.replace(/\/$/, "");
  return acceptsMessage.test(path) ? null : { path, query: url.search, body, key };
}

/**
 * The answer as it is kept.
 * @param answered what goes out: a text, a ready-made Response, or nothing
 */
export async function answerOf(answered: unknown, status: number | string | undefined): Promise<Answer> {
  if (answered instanceof Response) return { status: answered.status, text: await answered.clone().text() };
  return { status: Number(status ?? 200), text: typeof answered === "string" ? answered : "" };
}

/** A kept answer, as it goes out to a repeat. */
export function replay({ status, text }: Answer): Response {
  if (text === "") return new Response(null, { status });
  return new Response(text, { status, headers: { "content-type": "application/json" } });
}
