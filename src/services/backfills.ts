import { idBound } from "../lib/ids.ts";
import type { ReplayTask } from "../models/background-tasks.ts";
import type { Endpoint } from "../models/endpoints.ts";
import type { Repos } from "../repos/index.ts";
import type { ActorContext } from "./context.ts";
import { notFound } from "./errors.ts";
import { createReplay, type ReplayRequest, replayBatch, replayInput, taskLeaseSeconds } from "./replays.ts";

export type BackfillRequest = Omit<ReplayRequest, "kind" | "asked"> & { asked: string };

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
  const { endpoint, asked } = request;
  const kind = "endpoint.backfill";
  const found = await ctx.repos.backgroundTasks.findRunning(ctx.orgId, endpoint.appId, kind, {
    endpointId: endpoint.id,
    asked,
  });
  if (found) return { task: found, resumed: true };
  return { task: await createReplay(ctx, { ...request, kind }), resumed: false };
}

/**
 * Takes the task's lease, which a process that was killed may have left behind: waits until it has run out.
 * @returns null when another process still works on it, or the signal aborts
 */
export async function leaseBackfill(
  ctx: ActorContext,
  taskId: string,
  signal: AbortSignal,
): Promise<string | null> {
  const lease = crypto.randomUUID();
  const deadline = performance.now() + (taskLeaseSeconds + 5) * 1000;
  while (!(await ctx.repos.backgroundTasks.lease(ctx.orgId, taskId, lease, taskLeaseSeconds))) {
    if (performance.now() > deadline || signal.aborted) return null;
    await Bun.sleep(retryMs);
  }
  return lease;
}

export const releaseBackfill = (ctx: ActorContext, taskId: string, lease: string): Promise<void> =>
  ctx.repos.backgroundTasks.release(taskId, lease);

/** Why it ended before its work was done: it failed or was canceled. Null when it did not. */
export async function unhappyEnd(
  ctx: ActorContext,
  taskId: string,
): Promise<Pick<ReplayTask, "status" | "error"> | null> {
  const task = await ctx.repos.backgroundTasks.find(ctx.orgId, taskId);
  return task?.status === "failed" || task?.status === "canceled" ? task : null;
}

/** What a run would do, batch by batch; nothing is written. */
export async function* tryBackfill(
  ctx: ActorContext,
  request: BackfillRequest,
  batchSize: number,
): AsyncGenerator<{ scanned: number; queued: number }> {
  const input = replayInput(request);
  for (let cursor: string | null = null; ; ) {
    const task = { orgId: ctx.orgId, appId: request.endpoint.appId, input, cursor };
    const step = await ctx.repos.replays.tryBatch(replayBatch(task, batchSize));
    yield step;
    if (step.scanned < batchSize) return;
    cursor = step.lastId;
  }
}

/** How many messages are still to be looked at. */
export const countBackfill = (
  ctx: ActorContext,
  { appId, since, until, cursor }: { appId: string; since: Date; until: Date; cursor: string | null },
): Promise<number> =>
  ctx.repos.replays.countMessages(appId, cursor ?? idBound("msg_", since), idBound("msg_", until));
