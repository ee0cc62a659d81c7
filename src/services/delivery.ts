import type { Egress, EgressOutcome } from "../lib/egress/index.ts";
import { newId } from "../lib/ids.ts";
import { triggers } from "../models/deliveries.ts";
import type { Outcome } from "../repos/outcomes.ts";
import { parseRetryAfter, type RetryPolicy, retryDelayMs } from "./retry-schedule.ts";
import { sign } from "./standard-webhooks.ts";
import type { Target } from "./targets.ts";

/** One message for one endpoint, held under a lease. */
export type Delivery = {
  messageId: string;
  endpointId: string;
  trigger: number;
  orgId: string;
  appId: string;
  /** Attempts made before this one. */
  attempt: number;
  /** Of the endpoint, when it was queued or claimed. */
  revision: number;
  eventType: string;
  channels: string[] | null;
  tags: string[] | null;
  payload: string;
  /** Null for application/json. */
  contentType: string | null;
  probe: boolean;
  lease: string;
  /** By performance.now(), which no jump of the clock moves. */
  leaseEndsAt: number;
};

export type DeliveryPolicy = {
  egress: Egress;
  userAgent: string;
  timeoutMs: number;
  responseBytesMax: number;
  retry: RetryPolicy;
};

/** 410 Gone: the receiver wants nothing more, ever (Standard Webhooks). */
const gone = 410;

export type Judged = { outcome: Outcome; wantsDisabling: boolean };

/** Signs and sends it, and says what is to become of it. Null when the process gave up on it while stopping. */
export async function deliver(
  policy: DeliveryPolicy,
  target: Target,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Judged | null> {
  const now = Date.now();
  const answer = await policy.egress.post({
    url: target.url,
    headers: signedHeaders(policy.userAgent, target, delivery, now),
    body: delivery.payload,
    timeoutMs: policy.timeoutMs,
    responseBytesMax: policy.responseBytesMax,
    signal,
  });
  if (answer.kind === "failure" && answer.reason === "aborted") return null;
  return judge(policy, target, delivery, answer, now);
}

/** Both header families: `webhook-*` as Standard Webhooks has it, `svix-*` for receivers with the Svix libraries. */
function signedHeaders(
  userAgent: string,
  target: Target,
  delivery: Delivery,
  now: number,
): Record<string, string> {
  const timestampSeconds = Math.floor(now / 1000);
  const live = target.keys.filter(({ expiresAtMs }) => expiresAtMs > now).map(({ key }) => key);
  const signature = sign(live, delivery.messageId, timestampSeconds, delivery.payload);
  const timestamp = String(timestampSeconds);
  return {
    ...target.headers,
    "content-type": delivery.contentType ?? "application/json",
    "user-agent": userAgent,
    "webhook-id": delivery.messageId,
    "webhook-timestamp": timestamp,
    "webhook-signature": signature,
    "svix-id": delivery.messageId,
    "svix-timestamp": timestamp,
    "svix-signature": signature,
  };
}

function judge(
  policy: DeliveryPolicy,
  target: Target,
  delivery: Delivery,
  answer: EgressOutcome,
  startedAt: number,
): Judged {
  const statusCode = answer.kind === "response" ? answer.status : 0;
  const succeeded = statusCode >= 200 && statusCode < 300;
  const attempt = delivery.attempt + 1;
  const mayRetry = !succeeded && delivery.trigger === triggers.scheduled && statusCode !== gone;
  const retryAfter =
    answer.kind === "response" ? parseRetryAfter(answer.headers["retry-after"], Date.now()) : null;
  return {
    wantsDisabling: statusCode === gone,
    outcome: {
      attemptId: newId("atmpt_", startedAt),
      orgId: delivery.orgId,
      appId: delivery.appId,
      messageId: delivery.messageId,
      endpointId: delivery.endpointId,
      eventType: delivery.eventType,
      channels: delivery.channels,
      tags: delivery.tags,
      trigger: delivery.trigger,
      attempt,
      lease: delivery.lease,
      probe: delivery.probe,
      succeeded,
      responseStatusCode: statusCode,
      response: answer.kind === "response" ? responseText(answer.body, answer.truncated) : answer.message,
      durationMs: Math.round(answer.durationMs),
      url: target.url,
      retryInMs: mayRetry ? retryDelayMs(policy.retry, attempt, retryAfter) : null,
    },
  };
}

/** Base64 when it is not UTF-8, or holds a NUL, which PostgreSQL's text can't. */
function responseText(body: Uint8Array, truncated: boolean): string {
  if (body.byteLength === 0) return "";
  try {
    // Streaming leaves out a character that the byte cap has cut in two.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body, { stream: truncated });
    if (!text.includes("\u0000")) return text;
  } catch {
    // Not UTF-8.
  }
  return Buffer.from(body).toString("base64");
}
