import { sign } from "./standard-webhooks.ts";
import type { Target } from "./targets.ts";

/** What the headers say of a message. */
type Signed = { messageId: string; payload: string; contentType: string | null };

/** Both header families: `webhook-*` as Standard Webhooks has it, `svix-*` for receivers with the Svix libraries. */
export function signedHeaders(
  userAgent: string,
  target: Target,
  delivery: Signed,
  now: number,
): Record<string, string> {
  const timestampSeconds = Math.floor(now / 1000);
  const live = target.keys.filter(({ expiresAtMs }) => expiresAtMs > now).map(({ key }) => key);
  const signature = sign(live, delivery.messageId, timestampSeconds, delivery.payload);
  return {
    ...target.headers,
    ...plainHeaders(delivery.messageId, delivery.contentType, now),
    "user-agent": userAgent,
    "webhook-signature": signature,
    "svix-signature": signature,
  };
}

/** Those that follow from a message and from when it was sent. */
export function plainHeaders(
  messageId: string,
  contentType: string | null,
  now: number,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  return {
    "content-type": contentType ?? "application/json",
    "webhook-id": messageId,
    "webhook-timestamp": timestamp,
    "svix-id": messageId,
    "svix-timestamp": timestamp,
  };
}
