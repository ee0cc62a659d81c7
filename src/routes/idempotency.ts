import { invalid } from "../services/errors.ts";
import { type Answer, claimKey, settleKey } from "../services/idempotency.ts";
import type { RequestState } from "./api.ts";

type Hooked = RequestState & { request: Request; set: { status?: number | string } };

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

/** Before a handler: the kept answer when the request is a repeat, or else nothing, and the key is held. */
export async function beginIdempotent(context: Hooked): Promise<Response | undefined> {
  if (context.request.method !== "POST") return undefined;
  const key = idempotencyKeyOf(context.request);
  if (key === null) return undefined;
  const url = new URL(context.request.url);
  const path = url.pathname.replace(/\/$/, "");
  if (acceptsMessage.test(path)) return undefined;
  const claim = await claimKey(context.ctx, { path, query: url.search, body: context.rawBody, key });
  if ("answer" in claim) {
    context.set.status = claim.answer.status;
    return replay(claim.answer);
  }
  context.heldKey = claim.held;
  return undefined;
}

/**
 * After the handler or the error mapping: settles the key that is held, if any.
 * @param text what goes out, unless it is a ready-made Response or nothing
 */
export async function endIdempotent(
  context: Hooked & { responseValue?: unknown },
  text: string | null,
): Promise<void> {
  const { heldKey, responseValue, set } = context;
  if (heldKey === null) return;
  context.heldKey = null;
  await settleKey(
    context.ctx,
    heldKey,
    responseValue instanceof Response
      ? { status: responseValue.status, text: await responseValue.clone().text() }
      : { status: Number(set.status ?? 200), text: text ?? "" },
  );
}

function replay({ status, text }: Answer): Response {
  if (text === "") return new Response(null, { status });
  return new Response(text, { status, headers: { "content-type": "application/json" } });
}
