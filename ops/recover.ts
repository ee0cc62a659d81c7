import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { dateValue, idValue } from "../src/lib/cli-values.ts";
import { followBatches, type Job, jobArgs } from "../src/lib/operator/job.ts";
import { perSecondValue } from "../src/lib/operator/rate.ts";
import type { Counts } from "../src/lib/operator/report.ts";
import { runOperation } from "../src/operation.ts";
import type { ActorContext, OperatorContext } from "../src/services/context.ts";
import { AppError } from "../src/services/errors.ts";
import {
  countReplay,
  countWorkers,
  findAnyEndpoint,
  findReplay,
  leaseReplay,
  type RecoveryRequest,
  releaseReplay,
  resumeOrCreateRecovery,
  tryRecovery,
} from "../src/services/operator-replays.ts";
import { runReplayBatch } from "../src/services/replays.ts";

const batchSize = 500;
const lookMs = 250;

export default extendCommand(
  defineCommand({
    meta: {
      name: "recover",
      description:
        "Send an endpoint again what has failed for good, of the last 14 days: the API's recovery, watched to its end. Interrupted, the same command goes on.",
    },
    args: {
      endpoint: { type: "string", description: "The endpoint.", valueHint: "ep_…", required: true },
      since: { type: "string", description: "From when on: a time, a date, or 2h, 7d back.", required: true },
      until: { type: "string", description: "Until when. (Default: now)" },
      rate: { type: "string", description: "Deliveries a second at most." },
      ...jobArgs,
    },
    async run({ args }) {
      const { since: from, until: to } = args;
      const endpointId = idValue("endpoint", args.endpoint, "ep_");
      const since = dateValue("since", from);
      const until = to === undefined ? new Date() : dateValue("until", to);
      if (since > until) throw new UsageError("--since is later than --until.");
      const rate = args.rate === undefined ? null : perSecondValue(args.rate);
      const asked = JSON.stringify([from, to ?? null]);
      return runOperation("recover", args, async ({ job, repos, system, contextOf }) => {
        const endpoint = await findAnyEndpoint(repos, endpointId);
        if (endpoint.polled) throw new UsageError(`${endpoint.id} is polled: nothing is sent to it.`);
        if (endpoint.disabled) throw new UsageError(`${endpoint.id} is disabled: nothing would be sent.`);
        const ctx = contextOf(endpoint.orgId);
        const request = { endpoint, since, until, rate, asked };
        return byFlag(() => (job.dryRun ? dryRun(job, ctx, request) : run(job, ctx, system, request)));
      });
    },
  }),
  {
    sections: () => [
      {
        title: "WHO DOES THE WORK",
        body: [
          "  Whoever comes first: a worker, or this command. It queues the deliveries; workers send them. Interrupted",
          "  or killed, it leaves a background task that the workers go on with: to end that, cancel it over the API.",
          "  For what is older, was never sent, or is of certain event types, there is app ops backfill.",
        ].join("\n"),
      },
    ],
  },
);

async function dryRun(job: Job, ctx: ActorContext, request: RecoveryRequest): Promise<Counts> {
  const total = await countReplay(ctx, { ...request, appId: request.endpoint.appId, cursor: null });
  return followBatches(job, tryRecovery(ctx, request, batchSize), total);
}

async function run(
  job: Job,
  ctx: ActorContext,
  system: OperatorContext,
  request: RecoveryRequest,
): Promise<Counts> {
  const { task, resumed } = await resumeOrCreateRecovery(ctx, request);
  const { since, until } = task.input;
  const { scanned, queued } = task;
  job.report.event(resumed ? "resuming" : "starting", { task: task.id, since, until, scanned, queued });
  if ((await countWorkers(system)) === 0) {
    job.report.event("no-worker", { advice: "It is queued, but nothing is sent until a worker runs." });
  }
  const range = { since: new Date(since), until: new Date(until) };
  const left = await countReplay(ctx, { ...range, appId: task.appId, cursor: task.cursor });
  for (;;) {
    const { status, error, scanned, queued } = await findReplay(ctx, task.id);
    job.report.progress(scanned, task.scanned + left);
    const counts = { task: task.id, scanned, queued };
    if (status === "finished") return { ...counts, failed: 0 };
    if (status !== "running") {
      job.report.event(status, { task: task.id, error });
      return { ...counts, failed: 1 };
    }
    if (job.signal.aborted) return counts;
    if (!(await help(ctx, task.id))) await Bun.sleep(lookMs);
  }
}

/** What the API would say of a field is said of the flag that has its name. */
async function byFlag<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [issue] = error instanceof AppError ? error.issues : [];
    if (!issue) throw error;
    throw new UsageError(`--${issue.loc.at(-1)} ${issue.msg}.`);
  }
}

/** A batch, unless a worker is at it. */
async function help(ctx: ActorContext, taskId: string): Promise<boolean> {
  const lease = await leaseReplay(ctx, taskId);
  if (lease === null) return false;
  try {
    await runReplayBatch(ctx, taskId, { batchSize, lease });
    return true;
  } finally {
    await releaseReplay(ctx, taskId, lease);
  }
}
