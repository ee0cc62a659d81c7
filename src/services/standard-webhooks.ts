/**
 * Signatures as Standard Webhooks has them (https://www.standardwebhooks.com, spec 1.0): what is signed is
 * `id.timestamp.body`; "v1" is HMAC-SHA256, "v1a" is Ed25519; one header holds a signature for every live key.
 */
import { sign as edSign, verify as edVerify, timingSafeEqual } from "node:crypto";
import type { WebhookKey } from "./webhook-secrets.ts";

/** Headers as `Headers` or Node's request has them; names in any case. */
export type HeaderSource = Headers | Record<string, string | string[] | undefined>;

export interface VerifyOptions {
  /** How far the timestamp may be from now, either way; 300 by default. */
  toleranceSeconds?: number;
  /** Unix seconds; the clock by default. */
  nowSeconds?: number;
}

export type Verified = { ok: true; id: string; timestampSeconds: number } | { ok: false; reason: string };

const encoder = new TextEncoder();

/**
 * Signs a message with every key: the value of `webhook-signature`, signatures parted by a blank.
 * @param body exactly what is sent; a text counts as UTF-8.
 */
export function sign(
  keys: readonly WebhookKey[],
  id: string,
  timestampSeconds: number,
  body: string | Uint8Array,
): string {
  const head = `${id}.${timestampSeconds}.`;
  // One key is the rule; the join is for the day after a rotation.
  const [only] = keys;
  return only && keys.length === 1
    ? signWith(only, head, body)
    : keys.map((key) => signWith(key, head, body)).join(" ");
}

/**
 * Does one of the keys verify one of the signatures? Reads the `webhook-*` headers, or else `svix-*`.
 * Compares in constant time. Never throws; `reason` is fit to show to the sender.
 */
export function verify(
  keys: readonly WebhookKey[],
  headers: HeaderSource,
  body: string | Uint8Array,
  { toleranceSeconds = 300, nowSeconds = Math.floor(Date.now() / 1000) }: VerifyOptions = {},
): Verified {
  const family = header(headers, "webhook-id") === undefined ? "svix" : "webhook";
  const id = header(headers, `${family}-id`);
  const timestamp = header(headers, `${family}-timestamp`);
  const signatures = header(headers, `${family}-signature`);
  if (!id || !timestamp || !signatures) return { ok: false, reason: "a signature header is missing" };
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: "the timestamp is not a number of seconds" };
  const timestampSeconds = Number(timestamp);
  const ageSeconds = nowSeconds - timestampSeconds;
  if (ageSeconds > toleranceSeconds) return { ok: false, reason: `the timestamp is ${ageSeconds} s old` };
  if (-ageSeconds > toleranceSeconds) {
    return { ok: false, reason: `the timestamp is ${-ageSeconds} s in the future` };
  }
  const head = `${id}.${timestamp}.`;
  const right = signatures.split(" ").some((one) => keys.some((key) => isSignature(key, one, head, body)));
  return right ? { ok: true, id, timestampSeconds } : { ok: false, reason: "no signature matches" };
}

function signWith(key: WebhookKey, head: string, body: string | Uint8Array): string {
  if (key.kind === "hmac") return `v1,${hmac(key.state, head, body).digest("base64")}`;
  if (!key.privateKey) throw new Error("a public key can't sign");
  return `v1a,${edSign(null, bytesOf(head, body), key.privateKey).toString("base64")}`;
}

function isSignature(key: WebhookKey, signature: string, head: string, body: string | Uint8Array): boolean {
  const [version, encoded = ""] = signature.split(",", 2);
  const given = Buffer.from(encoded, "base64");
  if (key.kind === "hmac") {
    if (version !== "v1" || given.length !== 32) return false;
    return timingSafeEqual(given, hmac(key.state, head, body).digest());
  }
  return (
    version === "v1a" && given.length === 64 && edVerify(null, bytesOf(head, body), key.publicKey, given)
  );
}

// Copying a keyed hasher skips the two hash blocks that the key costs: half the time of node:crypto's createHmac.
function hmac(state: Bun.CryptoHasher, head: string, body: string | Uint8Array): Bun.CryptoHasher {
  const hasher = state.copy();
  return typeof body === "string" ? hasher.update(head + body) : hasher.update(head).update(body);
}

function bytesOf(head: string, body: string | Uint8Array): Uint8Array {
  return typeof body === "string" ? encoder.encode(head + body) : Buffer.concat([encoder.encode(head), body]);
}

function header(headers: HeaderSource, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const found = headers[name] ?? Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found.join(" ") : found;
}
