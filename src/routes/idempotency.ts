import { ElysiaCustomStatusResponse } from "../lib/elysia/index.ts";
import { type Answer, claimKey, settleKey } from "../services/idempotency.ts";
import type { RequestState } from "./api.ts";

type Hooked = RequestState & { request: Request; set: { status?: number | string } };

/** Accepting a message settles its key in its own statement. */
const acceptsMessage = /^\/api\/v1\/app\/[^/]+\/msg$/;

/** Before a handler: the kept answer when the request is a repeat, or else nothing, and the key is held. */
export async function beginIdempotent(context: Hooked): Promise<Response | undefined> {
  const key = context.request.headers.get("idempotency-key");
  if (!key || context.request.method !== "POST") return undefined;
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

/** After the handler or the error mapping: settles the key that is held, if any. */
export async function endIdempotent(
  context: Hooked & { responseValue?: unknown },
): Promise<Response | undefined> {
  const { heldKey, responseValue } = context;
  if (heldKey === null) return undefined;
  context.heldKey = null;
  const answer = await answerOf(responseValue, Number(context.set.status ?? 200));
  await settleKey(context.ctx, heldKey, answer);
  return responseValue instanceof Response ? undefined : replay(answer);
}

async function answerOf(value: unknown, status: number): Promise<Answer> {
  if (value instanceof Response) return { status: value.status, text: await value.clone().text() };
  const [body, code] =
    value instanceof ElysiaCustomStatusResponse ? [value.response, Number(value.code)] : [value, status];
  return { status: code, text: body === undefined ? "" : JSON.stringify(body) };
}

function replay({ status, text }: Answer): Response {
  if (text === "") return new Response(null, { status });
  return new Response(text, { status, headers: { "content-type": "application/json" } });
}
