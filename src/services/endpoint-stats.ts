import { ID_STEP_MS, idBound } from "../lib/ids.ts";
import type { EndpointStats } from "../schemas/attempts.ts";
import { sumAttempts } from "./attempt-counts.ts";
import type { Context } from "./context.ts";
import { findEndpoint } from "./endpoints.ts";
import { AppError } from "./errors.ts";
import { queryTime, slackMs } from "./times.ts";

const windowMaxMs = 28 * 86_400_000;

/** Attempts of an endpoint by their outcome, and what waits for it; of the last 28 days unless told. */
export async function getEndpointStats(
  ctx: Context,
  appRef: string,
  endpointRef: string,
  query: { since?: string; until?: string },
): Promise<EndpointStats> {
  const now = Date.now();
  const until = queryTime("until", query.until)?.getTime() ?? now;
  const since = queryTime("since", query.since)?.getTime() ?? until - windowMaxMs;
  if (until > now + slackMs) throw new AppError("invalid_range", { detail: "until lies in the future" });
  if (since > until) throw new AppError("invalid_range", { detail: "since must not be later than until" });
  if (until - since > windowMaxMs + slackMs) {
    throw new AppError("invalid_range", { detail: "since and until must be at most 28 days apart" });
  }
  const { id } = await findEndpoint(ctx, appRef, endpointRef);
  // The step that `until` falls into counts as well.
  const [from, to] = [since, until + ID_STEP_MS];
  const [attempts, waiting] = await Promise.all([
    sumAttempts(ctx.repos, id, from, to),
    ctx.repos.queue.count(id, idBound("msg_", from), idBound("msg_", to)),
  ]);
  const { succeeded, failed, canceled } = attempts;
  return { success: succeeded, fail: failed, ...waiting, canceled };
}
