import { idBound } from "../lib/ids.ts";
import type { ReplayTask } from "../models/background-tasks.ts";
import type { Endpoint } from "../models/endpoints.ts";
import type { Repos } from "../repos/index.ts";
import type { ActorContext, OperatorContext } from "./context.ts";
import { recoverEndpoint } from "./endpoint-replays.ts";
import { notFound } from "./errors.ts";
import { workerAliveSeconds } from "./queue-stats.ts";
import { createReplay, type ReplayRequest, replayBatch, replayInput, taskLeaseSeconds } from "./replays.ts";

type OperatorReplay = Omit<ReplayRequest, "kind" | "asked">;
export type BackfillRequest = OperatorReplay & { asked: string };
export type RecoveryRequest = Pick<BackfillRequest, "endpoint" | "since" | "until" | "asked"> & {
  rate: number | null;
};

const retryMs = 500;

/** Whoever's it is. */
export async function findAnyEndpoint(repos: Repos, id: string): Promise<Endpoint> {
  const row = await repos.operator.findEndpoint(id);
  if (!row) throw notFound();
  return row;
}

/** The backfill that was asked for in the same words and is not done, or a new one. */
export async function resumeOrCreateBackfill(
  ctx: ActorContext,
  request: BackfillRequest,
): Promise<{ task: ReplayTask; resumed: boolean }> {
  const kind = "endpoint.backfill";
  const found = await findAsked(ctx, kind, request);
  if (found) return { task: found, resumed: true };
  return { task: await createReplay(ctx, { ...request, kind }), resumed: false };
}

/** The same of a recovery, which is the API's: workers run it, and so may whoever leases it. */
export async function resumeOrCreateRecovery(
  ctx: ActorContext,
  request: RecoveryRequest,
): Promise<{ task: ReplayTask; resumed: boolean }> {
  const found = await findAsked(ctx, "endpoint.recover", request);
  if (found) return { task: found, resumed: true };
  const { endpoint, since, until, rate, asked } = request;
  const range = { since: since.toISOString(), until: until.toISOString() };
  const { id } = await recoverEndpoint(ctx, endpoint.appId, endpoint.id, range, { rate, asked });
  return { task: await findReplay(ctx, id), resumed: false };
}

const findAsked = (
  { orgId, repos }: ActorContext,
  kind: "endpoint.backfill" | "endpoint.recover",
  { endpoint, asked }: Pick<BackfillRequest, "endpoint" | "asked">,
): Promise<ReplayTask | null> =>
  repos.backgroundTasks.findRunning(orgId, endpoint.appId, kind, { endpointId: endpoint.id, asked });

/** A task as it stands. */
export async function findReplay({ orgId, repos }: ActorContext, taskId: string): Promise<ReplayTask> {
  const task = await repos.backgroundTasks.find(orgId, taskId);
  if (!task) throw notFound();
  return task as ReplayTask;
}

/** Takes the task's lease, if nobody has it; null otherwise, and when the task has ended. */
export async function leaseReplay({ orgId, repos }: ActorContext, taskId: string): Promise<string | null> {
  const lease = crypto.randomUUID();
  return (await repos.backgroundTasks.lease(orgId, taskId, lease, taskLeaseSeconds)) ? lease : null;
}

/**
 * The same, but waits until the lease has run out that a process may have left behind which was killed.
 * @returns null when another process still works on it, or the signal aborts
 */
export async function leaseReplayPatiently(
  ctx: ActorContext,
  taskId: string,
  signal: AbortSignal,
): Promise<string | null> {
  const deadline = performance.now() + (taskLeaseSeconds + 5) * 1000;
  for (;;) {
    const lease = await leaseReplay(ctx, taskId);
    if (lease !== null) return lease;
    if (performance.now() > deadline || signal.aborted) return null;
    await Bun.sleep(retryMs);
  }
}

export const releaseReplay = (ctx: ActorContext, taskId: string, lease: string): Promise<void> =>
  ctx.repos.backgroundTasks.release(taskId, lease);

/** Why it ended before its work was done: it failed or was canceled. Null when it did not. */
export async function unhappyEnd(
  ctx: ActorContext,
  taskId: string,
): Promise<Pick<ReplayTask, "status" | "error"> | null> {
  const task = await ctx.repos.backgroundTasks.find(ctx.orgId, taskId);
  return task?.status === "failed" || task?.status === "canceled" ? task : null;
}

/** What a run would do, batch by batch; nothing is written. Gives the counts so far. */
export async function* tryReplay(
  ctx: ActorContext,
  request: OperatorReplay,
  batchSize: number,
): AsyncGenerator<{ scanned: number; queued: number }> {
  const input = replayInput(request);
  const counts = { scanned: 0, queued: 0 };
  for (let cursor: string | null = null; ; ) {
    const task = { orgId: ctx.orgId, appId: request.endpoint.appId, input, cursor };
    const step = await ctx.repos.replays.tryBatch(replayBatch(task, batchSize));
    counts.scanned += step.scanned;
    counts.queued += step.queued;
    yield { ...counts };
    if (step.scanned < batchSize) return;
    cursor = step.lastId;
  }
}

/** How many messages are still to be looked at. */
export const countReplay = (
  ctx: ActorContext,
  { appId, since, until, cursor }: { appId: string; since: Date; until: Date; cursor: string | null },
): Promise<number> =>
  ctx.repos.replays.countMessages(appId, cursor ?? idBound("msg_", since), idBound("msg_", until));

/** How many workers there are to deliver what is queued. */
export async function countWorkers({ repos }: OperatorContext): Promise<number> {
  const workers = await repos.inspection.workers();
  return workers.filter(({ seenSecondsAgo }) => seenSecondsAgo <= workerAliveSeconds).length;
}
