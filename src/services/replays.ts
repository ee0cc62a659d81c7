import { idBound, newId } from "../lib/ids.ts";
import {
  type BackgroundTaskKind,
  isPurgeTask,
  isUsageTask,
  type ReplayInput,
  type ReplayTask,
} from "../models/background-tasks.ts";
import type { Endpoint } from "../models/endpoints.ts";
import type { ReplayBatch, ReplayStep } from "../repos/replays.ts";
import { audit } from "./audit.ts";
import type { ActorContext } from "./context.ts";
import { notFound } from "./errors.ts";

/** A batch has committed or been lost long before; whoever dies is replaced after so many seconds. */
export const taskLeaseSeconds = 30;

export type ReplayRequest = {
  endpoint: Pick<Endpoint, "id" | "appId">;
  kind: BackgroundTaskKind;
  since: Date;
  until: Date;
  only: ReplayInput["only"];
  eventTypes?: string[] | null;
  channel?: string | null;
  tag?: string | null;
  statusCodeClass?: number | null;
  rate?: number | null;
  asked?: string | null;
};

/** The request as its task keeps it. */
export const replayInput = (request: Omit<ReplayRequest, "kind">): ReplayInput => ({
  endpointId: request.endpoint.id,
  since: request.since.toISOString(),
  until: request.until.toISOString(),
  only: request.only,
  eventTypes: request.eventTypes ?? null,
  channel: request.channel ?? null,
  tag: request.tag ?? null,
  statusCodeClass: request.statusCodeClass ?? null,
  rate: request.rate ?? null,
  asked: request.asked ?? null,
});

/** Writes down what is to be sent again. Workers do it, batch by batch; a backfill's script does its own. */
export async function createReplay(ctx: ActorContext, request: ReplayRequest): Promise<ReplayTask> {
  const input = replayInput(request);
  return ctx.repos.tx(async (tx) => {
    const task = await tx.backgroundTasks.insert({
      id: newId("qtask_"),
      orgId: ctx.orgId,
      appId: request.endpoint.appId,
      kind: request.kind,
      status: "running",
      input,
    });
    await tx.backgroundTasks.announce();
    await audit(ctx, tx, {
      action: request.kind,
      target: input.endpointId,
      detail: { taskId: task.id, ...input },
    });
    return task as ReplayTask;
  });
}

export const replayBatch = (
  task: Pick<ReplayTask, "orgId" | "appId" | "input" | "cursor">,
  batchSize: number,
): ReplayBatch => ({
  orgId: task.orgId,
  appId: task.appId,
  input: task.input,
  afterId: task.cursor ?? idBound("msg_", new Date(task.input.since)),
  beforeId: idBound("msg_", new Date(task.input.until)),
  batchSize,
});

/**
 * One step of a replay: looks at the next messages, queues those that are wanted and moves the task on, all in one
 * transaction. So it can stop anywhere, and nobody queues anything twice.
 * @param lease the task's, when it has one; a step under another's is refused
 * @returns `done` when the task has ended, for whatever reason
 */
export async function runReplayBatch(
  ctx: Omit<ActorContext, "actor">,
  taskId: string,
  options: { batchSize: number; lease: string | null },
): Promise<Omit<ReplayStep, "lastId"> & { done: boolean }> {
  const nothing = { done: true, scanned: 0, queued: 0 };
  return ctx.repos.tx(async (tx) => {
    const task = await tx.backgroundTasks.lock(ctx.orgId, taskId);
    if (!task) throw notFound();
    if (isUsageTask(task) || isPurgeTask(task) || task.status !== "running" || task.lease !== options.lease)
      return nothing;
    const endpoint = await tx.endpoints.find(
      { orgId: ctx.orgId, appRef: task.appId, boundAppId: null },
      task.input.endpointId,
    );
    if (!endpoint || endpoint.disabled) {
      const why = endpoint ? "the endpoint is disabled" : "the endpoint was deleted";
      await tx.backgroundTasks.end(ctx.orgId, taskId, "failed", why);
      return nothing;
    }
    const step = await tx.replays.queueBatch(replayBatch(task, options.batchSize), {
      startedAt: task.createdAt,
      queuedBefore: task.queued,
    });
    const { scanned, queued } = step;
    await tx.backgroundTasks.advance(taskId, {
      cursor: step.lastId,
      scanned,
      queued,
      leaseSeconds: taskLeaseSeconds,
    });
    if (queued > 0) await tx.queue.notify();
    const done = scanned < options.batchSize;
    if (done) await tx.backgroundTasks.end(ctx.orgId, taskId, "finished");
    return { done, scanned, queued };
  });
}
