import type { Actor } from "./context.ts";

/** The first 128 bits of a text's SHA-256, as a uuid: what PostgreSQL indexes in 16 bytes. */
function hash128(text: string): string {
  const hex = new Bun.CryptoHasher("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Names a request's Idempotency-Key: the same key of another tenant, of an app token, or for another path is another. */
export function idempotencyKeyHash(actor: Actor, method: string, path: string, key: string): string {
  const holder = actor.kind === "app" ? `${actor.orgId}/${actor.appId}` : actor.orgId;
  return hash128(JSON.stringify([holder, method, path, key]));
}

/** What a repeat's body is compared by. */
export const requestBodyHash = (rawBody: string): string => hash128(rawBody);
