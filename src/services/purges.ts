import { idBound, newId } from "../lib/ids.ts";
import { isPurgeTask, type PurgeTask } from "../models/background-tasks.ts";
import type {
  BulkExpungeContentsIn,
  BulkExpungeContentsOut,
  ExpungeAllContentsOut,
} from "../schemas/expunge.ts";
import { findApplication } from "./applications.ts";
import { requireOrg } from "./authorization.ts";
import { actorName, type Context } from "./context.ts";
import { taskLeaseSeconds } from "./replays.ts";

/** Messages a step: short enough that it holds nobody up. */
const batchSize = 1_000;
/** For clocks that differ: better a message too many than one that was meant and is left. */
const slackMs = 1_000;

/** The payloads of these messages are gone for good, for readers and for deliveries that are still to come. */
export async function bulkExpungeContents(
  ctx: Context,
  appRef: string,
  { ids = [] }: BulkExpungeContentsIn,
): Promise<BulkExpungeContentsOut> {
  const { id: appId } = await findApplication(ctx, appRef);
  const expunged =
    ids.length === 0 ? new Set() : await ctx.repos.messages.removeContents(ctx.orgId, appId, ids);
  const statusOf = (ref: string) => (expunged.has(ref) ? ("expunged" as const) : ("not-found" as const));
  return { results: Object.fromEntries(ids.map((ref) => [ref, statusOf(ref)])) };
}

/** Has the payloads of all messages that an application was sent so far expunged; workers do it. */
export async function expungeAllContents(ctx: Context, appRef: string): Promise<ExpungeAllContentsOut> {
  requireOrg(ctx);
  const { id: appId } = await findApplication(ctx, appRef);
  const until = new Date(Date.now() + slackMs).toISOString();
  const kind = "application.purge_content";
  const task = await ctx.repos.tx(async (tx) => {
    const id = newId("qtask_");
    const { orgId } = ctx;
    const made = await tx.backgroundTasks.insert({
      id,
      orgId,
      appId,
      kind,
      status: "running",
      input: { until },
    });
    await tx.backgroundTasks.announce();
    await tx.auditLog.insert({
      orgId,
      actor: actorName(ctx.actor),
      action: kind,
      target: appId,
      detail: { taskId: id, until },
    });
    return made;
  });
  return { id: task.id, status: "running", task: kind, updatedAt: task.updatedAt.toISOString() };
}

/**
 * One step: expunges what the next messages hold and moves the task on, in one transaction. So it can stop anywhere.
 * @returns `done` when the task has ended, for whatever reason
 */
export async function runPurgeBatch(
  ctx: Pick<Context, "orgId" | "repos">,
  taskId: string,
  lease: string,
): Promise<{ purged: number; done: boolean }> {
  return ctx.repos.tx(async (tx) => {
    const task = await tx.backgroundTasks.lock(ctx.orgId, taskId);
    if (!task || !isPurgeTask(task) || task.status !== "running" || task.lease !== lease) {
      return { purged: 0, done: true };
    }
    const step = await tx.messages.removeNextContents({ ...range(task), batchSize });
    await tx.backgroundTasks.advance(taskId, {
      cursor: step.lastId,
      scanned: step.scanned,
      queued: step.purged,
      leaseSeconds: taskLeaseSeconds,
    });
    const done = step.scanned < batchSize;
    if (done) await tx.backgroundTasks.end(ctx.orgId, taskId, "finished");
    return { purged: step.purged, done };
  });
}

const range = ({ orgId, appId, cursor, input }: PurgeTask) => ({
  orgId,
  appId,
  afterId: cursor ?? idBound("msg_", 0),
  beforeId: idBound("msg_", new Date(input.until)),
});
