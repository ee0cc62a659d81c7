import type { BackgroundTaskKind, ReplayInput } from "../models/background-tasks.ts";
import type { BulkReplayIn, ReplayIn, ReplayOut } from "../schemas/background-tasks.ts";
import { toReplayOut } from "./background-tasks.ts";
import type { ActorContext } from "./context.ts";
import { findEndpoint, requireCalled } from "./endpoints.ts";
import { invalid } from "./errors.ts";
import { createReplay } from "./replays.ts";
import { bodyRange, slackMs } from "./times.ts";

const recoverMaxMs = 14 * 86_400_000;

/**
 * Sends again what failed for good, of the last 14 days.
 * @param terms an operator's: how many a second, and the words that find the task again
 */
export function recoverEndpoint(
  ctx: ActorContext,
  appRef: string,
  ref: string,
  input: ReplayIn,
  terms: Partial<Pick<ReplayInput, "rate" | "asked">> = {},
): Promise<ReplayOut> {
  const { since } = bodyRange(input.since, input.until);
  if (since.getTime() < Date.now() - recoverMaxMs - slackMs) {
    throw invalid(["body", "since"], "must be at most 14 days ago");
  }
  return replay(ctx, appRef, ref, "endpoint.recover", input, { only: "failed", ...terms });
}

/** Sends what the endpoint never got: from before it was made, say, or while it was disabled. */
export function replayMissing(
  ctx: ActorContext,
  appRef: string,
  ref: string,
  input: ReplayIn,
): Promise<ReplayOut> {
  return replay(ctx, appRef, ref, "endpoint.replay", input, { only: "missing" });
}

/** Sends everything again that the filters match, whatever came of it. */
export function bulkReplay(
  ctx: ActorContext,
  appRef: string,
  ref: string,
  input: BulkReplayIn,
): Promise<ReplayOut> {
  const { status, eventTypes, channel, tag, statusCodeClass } = input;
  if (typeof status === "number" && status !== 0 && status !== 2) {
    throw invalid(["body", "status"], "must be 0 or 2: what is pending or being sent needs no replay");
  }
  return replay(ctx, appRef, ref, "endpoint.bulk-replay", input, {
    only: status === 0 ? "succeeded" : status === 2 ? "failed" : "all",
    eventTypes: eventTypes?.length ? eventTypes : null,
    channel: channel ?? null,
    tag: tag ?? null,
    statusCodeClass: statusCodeClass ?? null,
  });
}

async function replay(
  ctx: ActorContext,
  appRef: string,
  ref: string,
  kind: BackgroundTaskKind,
  input: ReplayIn,
  what: Pick<ReplayInput, "only"> &
    Partial<Pick<ReplayInput, "eventTypes" | "channel" | "tag" | "statusCodeClass" | "rate" | "asked">>,
): Promise<ReplayOut> {
  const { since, until } = bodyRange(input.since, input.until);
  const endpoint = await findEndpoint(ctx, appRef, ref);
  requireCalled(endpoint);
  return toReplayOut(await createReplay(ctx, { endpoint, kind, since, until, ...what }));
}
