import type { When } from "../lib/group-commit.ts";
import type { Logger } from "../lib/log.ts";
import { createLine, type LineFields } from "../lib/log-line.ts";
import type { Outcome, OutcomesRepo } from "../repos/outcomes.ts";
import type { Judged } from "../services/delivery.ts";
import type { AttemptEvents } from "../services/operational-events.ts";
import type { Recorder } from "../services/recorder.ts";

export type SettleOptions = {
  recorder: Recorder;
  outcomes: Pick<OutcomesRepo, "disableEndpoint" | "disableIfFailing">;
  disableAfterSeconds: number;
  events: AttemptEvents;
  log: Logger;
  onRetry(inMs: number): void;
};

/**
 * What follows an attempt: it is logged, committed and told, and an endpoint that is past hope disabled. Never rejects.
 * `when` is the recorder's.
 * @returns whether it was committed
 */
export function createSettle(options: SettleOptions): (judged: Judged, when: When) => Promise<boolean> {
  const { recorder, outcomes, events, log } = options;
  const logAttempt = createLine(log, "attempt");

  /** The receiver asked for it, or has failed for too long. */
  const disableIfDue = async ({ outcome, wantsDisabling }: Judged): Promise<void> => {
    const { orgId, endpointId } = outcome;
    try {
      const disabled = wantsDisabling
        ? await outcomes.disableEndpoint(orgId, endpointId)
        : await outcomes.disableIfFailing(orgId, endpointId, options.disableAfterSeconds);
      if (!disabled) return;
      log.warn({ orgId, endpointId, statusCode: outcome.responseStatusCode }, "endpoint disabled");
      events.disabled(outcome);
    } catch (error) {
      log.error({ err: error, endpointId }, "an endpoint could not be disabled");
    }
  };

  return async (judged, when) => {
    const { outcome } = judged;
    logAttempt(lineOf(outcome));
    const committed = await recorder.record(outcome, when);
    events.attempted(outcome);
    if (outcome.retryInMs !== null) options.onRetry(outcome.retryInMs);
    else if (!outcome.succeeded || judged.wantsDisabling) await disableIfDue(judged);
    return committed;
  };
}

const lineOf = (outcome: Outcome): LineFields => ({
  orgId: outcome.orgId,
  appId: outcome.appId,
  endpointId: outcome.endpointId,
  messageId: outcome.messageId,
  attemptId: outcome.attemptId,
  attempt: outcome.attempt,
  outcome: outcome.succeeded ? "success" : "fail",
  statusCode: outcome.responseStatusCode,
  durationMs: outcome.durationMs,
  retryInMs: outcome.retryInMs === null ? null : Math.round(outcome.retryInMs),
  // What came back is the customer's; what we say of it when nothing did is not.
  reason: outcome.responseStatusCode === 0 ? outcome.response : undefined,
});
