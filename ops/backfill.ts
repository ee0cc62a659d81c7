import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { dateValue, idValue, listValue } from "../src/lib/cli-values.ts";
import { followBatches, type Job, jobArgs } from "../src/lib/operator/job.ts";
import { createRateLimiter, perSecondValue } from "../src/lib/operator/rate.ts";
import type { Counts } from "../src/lib/operator/report.ts";
import { runOperation } from "../src/operation.ts";
import type { ActorContext } from "../src/services/context.ts";
import {
  type BackfillRequest,
  countReplay,
  findAnyEndpoint,
  leaseReplayPatiently,
  releaseReplay,
  resumeOrCreateBackfill,
  tryReplay,
  unhappyEnd,
} from "../src/services/operator-replays.ts";
import { runReplayBatch } from "../src/services/replays.ts";

const batchSizeMax = 500;
const choices = ["missing", "failed", "all"] as const;

type Plan = { endpointId: string; request: Omit<BackfillRequest, "endpoint">; perSecond: number };

export default extendCommand(
  defineCommand({
    meta: {
      name: "backfill",
      description:
        "Send an endpoint what it never got, or got wrong, from a time range. Interrupted, the same command goes on.",
    },
    args: {
      endpoint: { type: "string", description: "The endpoint.", valueHint: "ep_…", required: true },
      since: { type: "string", description: "From when on: a time, a date, or 2h, 7d back.", required: true },
      until: { type: "string", description: "Until when. (Default: now)" },
      "event-type": { type: "string", description: "Only these; repeat it or part several with commas." },
      only: {
        type: "string",
        description: "missing: never attempted; failed: never succeeded; all: everything.",
        default: "missing",
      },
      rate: { type: "string", description: "Deliveries a second at most." },
      ...jobArgs,
    },
    async run({ args }) {
      const plan = readPlan(args);
      return runOperation("backfill", args, async ({ job, repos, contextOf }) => {
        const endpoint = await findAnyEndpoint(repos, plan.endpointId);
        if (endpoint.polled) throw new UsageError(`${endpoint.id} is polled: nothing is sent to it.`);
        if (endpoint.disabled) throw new UsageError(`${endpoint.id} is disabled: nothing would be sent.`);
        const ctx = contextOf(endpoint.orgId);
        const request = { ...plan.request, endpoint };
        return job.dryRun ? await dryRun(job, ctx, request) : await run(job, ctx, request, plan.perSecond);
      });
    },
  }),
  { repeatable: ["event-type"] },
);

function readPlan(args: Record<string, unknown>): Plan {
  const text = (flag: string) => args[flag] as string | undefined;
  const endpointId = idValue("endpoint", text("endpoint") ?? "", "ep_");
  const only = choices.find((choice) => choice === text("only"));
  if (!only) throw new UsageError(`--only is missing, failed or all; got ${JSON.stringify(text("only"))}.`);
  const eventTypes = listValue("event-type", text("event-type"));
  const rate = text("rate");
  const since = dateValue("since", text("since") ?? "");
  const until = text("until") === undefined ? new Date() : dateValue("until", text("until") ?? "");
  if (since > until) throw new UsageError("--since is later than --until.");
  const perSecond = perSecondValue(rate);
  const asked = JSON.stringify([text("since"), text("until") ?? null, only, eventTypes.toSorted()]);
  return {
    endpointId,
    perSecond,
    request: {
      since,
      until,
      only,
      eventTypes: eventTypes.length > 0 ? eventTypes : null,
      rate: rate === undefined ? null : perSecond,
      asked,
    },
  };
}

async function dryRun(job: Job, ctx: ActorContext, request: BackfillRequest): Promise<Counts> {
  const { appId } = request.endpoint;
  const total = await countReplay(ctx, { ...request, appId, cursor: null });
  return followBatches(job, tryReplay(ctx, request, batchSizeMax), total);
}

async function run(
  job: Job,
  ctx: ActorContext,
  request: BackfillRequest,
  perSecond: number,
): Promise<Counts> {
  const { task, resumed } = await resumeOrCreateBackfill(ctx, request);
  job.report.event(resumed ? "resuming" : "starting", {
    task: task.id,
    since: task.input.since,
    until: task.input.until,
    only: task.input.only,
    scanned: task.scanned,
    queued: task.queued,
  });
  const lease = await leaseReplayPatiently(ctx, task.id, job.signal);
  if (lease === null) {
    if (!job.signal.aborted) job.report.event("busy", { task: task.id });
    return { task: task.id, failed: job.signal.aborted ? 0 : 1 };
  }
  try {
    const times = { since: new Date(task.input.since), until: new Date(task.input.until) };
    const total = await countReplay(ctx, { ...times, appId: task.appId, cursor: task.cursor });
    const limiter = createRateLimiter({ perSecond, signal: job.signal });
    const counts = { task: task.id, scanned: 0, queued: 0 };
    for (let done = false; !done && !job.signal.aborted; ) {
      const batchSize = Math.min(batchSizeMax, perSecond);
      const step = await runReplayBatch(ctx, task.id, { batchSize, lease });
      done = step.done;
      counts.scanned += step.scanned;
      counts.queued += step.queued;
      job.report.progress(counts.scanned, total);
      if (step.queued > 0 && !done) await limiter.take(step.queued).catch(() => {});
    }
    const end = await unhappyEnd(ctx, task.id);
    if (end !== null) job.report.event(end.status, { task: task.id, error: end.error });
    return { ...counts, failed: end === null ? 0 : 1 };
  } finally {
    await releaseReplay(ctx, task.id, lease);
  }
}
