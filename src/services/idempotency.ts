import { createHash } from "node:crypto";
import { createSealer, type Sealer } from "../lib/sealed.ts";
import { type Actor, actorName, type Context } from "./context.ts";
import { AppError } from "./errors.ts";

/** An answer as it went out; no text is no body. */
export type Answer = { status: number; text: string };
/** What is asked under a key: the path, the query with its question mark, and the body as it came. */
export type KeyedRequest = { path: string; query: string; body: string; key: string };
/** A key that this request runs under, until `lockedUntil`. */
export type HeldKey = { key: string; lockedUntil: string; sealer: Sealer };

// Longer than any request may take: after that its process counts as dead, and the key is free.
const lockSeconds = 60;
// Short enough that whoever waits gets an answer before its own client gives up.
const waitMsMax = 8000;
const pollMsFirst = 20;
const pollMsMax = 250;

/** 128 bits of SHA-256, written as a uuid. */
const hash = (...parts: string[]): string => {
  const hex = createHash("sha256").update(parts.join("\0")).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    "-",
  );
};

/** What a client's key is stored under: another tenant, token or path makes it another one. */
export const idempotencyKeyHash = (orgId: string, actor: Actor, path: string, key: string): string =>
  hash(orgId, actorName(actor), `POST ${path}`, key);

/**
 * Answers may hold tokens. They are sealed under the client's own key, of which only a hash is kept: who comes with
 * it can read its answer, and nobody else can.
 */
const answerSealer = (orgId: string, path: string, key: string): Sealer =>
  createSealer([createHash("sha256").update(["answer", orgId, path, key].join("\0")).digest()]);

/** What a repeat is compared by. */
export const requestHash = (query: string, body: string): string => hash(query, body);

/**
 * Either the answer that the first request with this key got, or the key itself, which must then be settled.
 * Waits while that request runs.
 * @throws AppError idempotency_conflict when that one had another query or body
 */
export async function claimKey(
  ctx: Context,
  request: KeyedRequest,
): Promise<{ answer: Answer } | { held: HeldKey }> {
  const key = idempotencyKeyHash(ctx.orgId, ctx.actor, request.path, request.key);
  const bodyHash = requestHash(request.query, request.body);
  const sealer = answerSealer(ctx.orgId, request.path, request.key);
  const deadline = performance.now() + waitMsMax;
  for (let pollMs = pollMsFirst; ; pollMs = Math.min(pollMs * 1.5, pollMsMax)) {
    const claim = await ctx.repos.idempotencyKeys.claim({ key, bodyHash, orgId: ctx.orgId, lockSeconds });
    if (claim?.claimed) return { held: { key, lockedUntil: claim.lockedUntil, sealer } };
    if (claim && claim.bodyHash !== bodyHash) throw new AppError("idempotency_conflict");
    if (claim && claim.status !== null) {
      return { answer: { status: claim.status, text: ctx.sealer.open(sealer.open(claim.response ?? "")) } };
    }
    if (ctx.signal.aborted || performance.now() > deadline) throw new AppError("request_in_progress");
    await Bun.sleep(pollMs);
  }
}

/** Keeps a success for those who come with the same key; after anything else the next one runs. Never throws. */
export async function settleKey(ctx: Context, held: HeldKey, answer: Answer): Promise<void> {
  const { idempotencyKeys } = ctx.repos;
  try {
    if (answer.status < 200 || answer.status > 299) await idempotencyKeys.release(held.key, held.lockedUntil);
    else {
      const response = held.sealer.seal(ctx.sealer.seal(answer.text));
      await idempotencyKeys.keep(held.key, held.lockedUntil, { status: answer.status, response });
    }
  } catch (err) {
    // What was done is done: the client gets its answer, and the key frees itself.
    ctx.log.error({ err }, "an idempotency key could not be settled");
  }
}
