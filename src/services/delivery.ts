import type { Egress, EgressOutcome, EgressResponse } from "../lib/egress/index.ts";
import { newId } from "../lib/ids.ts";
import { triggers } from "../models/deliveries.ts";
import type { Outcome } from "../repos/outcomes.ts";
import { signedHeaders } from "./delivery-headers.ts";
import type { EventTypeSchedules } from "./event-type-schedules.ts";
import { keepHeaders } from "./kept-headers.ts";
import { parseRetryAfter, type RetryPolicy, retryDelayMs } from "./retry-schedule.ts";
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
  /** For endpoints that have no timeout of their own. */
  timeoutMs: number;
  responseBytesMax: number;
  /** Its schedule is for what neither the endpoint nor the event type has one for. */
  retry: RetryPolicy;
  eventTypeSchedules: EventTypeSchedules;
};

/** 410 Gone: the receiver wants nothing more, ever (Standard Webhooks). */
const gone = 410;

/** What a receiver asks for in a header of its answer: to be sent nothing more, or this message no more. */
const wishHeader = "webhook-delivery";

export type Judged = { outcome: Outcome; wantsDisabling: boolean };

/** Signs and sends it, and says what is to become of it. Null when the process gave up on it while stopping. */
export async function deliver(
  policy: DeliveryPolicy,
  target: Target,
  delivery: Delivery,
): Promise<Judged | null> {
  const now = Date.now();
  const headers = signedHeaders(policy.userAgent, target, delivery, now);
  const answer = await policy.egress.post({
    url: target.url,
    headers,
    body: delivery.payload,
    timeoutMs: target.timeoutMs ?? policy.timeoutMs,
    responseBytesMax: policy.responseBytesMax,
  });
  if (answer.kind === "failure" && answer.reason === "aborted") return null;
  return judge(policy, target, delivery, { headers, at: now }, answer);
}

async function judge(
  policy: DeliveryPolicy,
  target: Target,
  delivery: Delivery,
  sent: { headers: Record<string, string>; at: number },
  answer: EgressOutcome,
): Promise<Judged> {
  const response = answer.kind === "response" ? answer : null;
  const statusCode = response?.status ?? 0;
  const succeeded = statusCode >= 200 && statusCode < 300;
  const wishes = wishesOf(response);
  const wantsDisabling = statusCode === gone || wishes.includes("disable");
  const mayRetry =
    !succeeded &&
    delivery.trigger === triggers.scheduled &&
    !wantsDisabling &&
    !wishes.includes("abort-message");
  const attempt = delivery.attempt + 1;
  return {
    wantsDisabling,
    outcome: {
      attemptId: newId("atmpt_", sent.at),
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
      retryInMs: mayRetry ? await retryIn(policy, target, delivery, response) : null,
      // Of what arrived nobody asks, and it would double the history.
      sentHeaders: succeeded ? null : keepHeaders(sent.headers),
      responseHeaders: succeeded || response === null ? null : keepHeaders(response.headers),
    },
  };
}

function wishesOf(response: EgressResponse | null): string[] {
  const wishes = response?.headers[wishHeader];
  return wishes === undefined ? [] : wishes.split(",").map((wish) => wish.trim().toLowerCase());
}

/** By the endpoint's schedule, since its owner knows the receiver; or else the event type's, or else the server's. */
async function retryIn(
  policy: DeliveryPolicy,
  target: Target,
  { orgId, eventType, attempt }: Delivery,
  response: EgressResponse | null,
): Promise<number | null> {
  const retryAfter = parseRetryAfter(response?.headers["retry-after"], Date.now());
  const schedule =
    target.retrySchedule ?? (await policy.eventTypeSchedules(orgId, eventType)) ?? policy.retry.schedule;
  return retryDelayMs({ ...policy.retry, schedule }, attempt + 1, retryAfter);
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
