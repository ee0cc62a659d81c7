import { idBound, newId } from "../lib/ids.ts";
import { isUsageTask, type UsageInput, type UsageKind, type UsageTask } from "../models/background-tasks.ts";
import type { TxRepos } from "../repos/index.ts";
import type { AggregateEventTypesOut, AppUsageStatsIn, AppUsageStatsOut } from "../schemas/usage.ts";
import { audit } from "./audit.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { invalid } from "./errors.ts";
import { taskLeaseSeconds } from "./replays.ts";
import { bodyRange } from "./times.ts";

/** Applications a step: a step is a transaction, and holds up a worker's other tasks. */
const batchSizes: Record<UsageKind, number> = { "application.stats": 20, "event-type.aggregate": 500 };

/** Has it counted what each application sent in a while; workers do it. */
export async function countAppUsage(ctx: Context, input: AppUsageStatsIn): Promise<AppUsageStatsOut> {
  requireOrg(ctx);
  const { since, until } = bodyRange(input.since, input.until);
  const { appIds, unresolvedAppIds } = await resolve(ctx, input.appIds?.length ? input.appIds : null);
  const range = { since: since.toISOString(), until: until.toISOString() };
  const task = await createTask(ctx, "application.stats", { ...range, appIds });
  return { ...toOut(task), task: "application.stats", unresolvedAppIds };
}

/** Has it listed what event types each application's endpoints ask for; workers do it. */
export async function aggregateEventTypes(ctx: Context): Promise<AggregateEventTypesOut> {
  requireOrg(ctx);
  const nothing = { since: null, until: null, appIds: null };
  return { ...toOut(await createTask(ctx, "event-type.aggregate", nothing)), task: "event-type.aggregate" };
}

const toOut = (task: UsageTask) => ({
  id: task.id,
  status: "running" as const,
  updatedAt: task.updatedAt.toISOString(),
});

async function resolve(
  ctx: Context,
  refs: string[] | null,
): Promise<{ appIds: string[] | null; unresolvedAppIds: string[] }> {
  if (refs === null) return { appIds: null, unresolvedAppIds: [] };
  const wanted = [...new Set(refs)];
  const found = await ctx.repos.applications.resolve(ctx.orgId, wanted);
  if (found.size === 0) throw invalid(["body", "appIds"], "none of these applications exists");
  return {
    appIds: [...new Set(found.values())],
    unresolvedAppIds: wanted.filter((ref) => !found.has(ref)),
  };
}

function createTask(ctx: Context, kind: UsageKind, input: UsageInput): Promise<UsageTask> {
  return ctx.repos.tx(async (tx) => {
    const task = await tx.backgroundTasks.insert({
      id: newId("qtask_"),
      orgId: ctx.orgId,
      appId: "",
      kind,
      status: "running",
      input,
    });
    await tx.backgroundTasks.announce();
    await audit(ctx, tx, {
      action: kind,
      target: task.id,
    });
    return task as UsageTask;
  });
}

/**
 * One step: looks at the next applications and adds what they have to what was found, in one transaction. So it can
 * stop anywhere, and nothing is counted twice.
 * @returns `done` when the task has ended, for whatever reason
 */
export async function runUsageBatch(
  ctx: Pick<Context, "orgId" | "repos">,
  taskId: string,
  lease: string,
): Promise<{ applications: number; done: boolean }> {
  return ctx.repos.tx(async (tx) => {
    const task = await tx.backgroundTasks.lock(ctx.orgId, taskId);
    if (!task || !isUsageTask(task) || task.status !== "running" || task.lease !== lease) {
      return { applications: 0, done: true };
    }
    const found = await lookAt(tx, task);
    await tx.backgroundTasks.addOutput(taskId, found);
    await tx.backgroundTasks.advance(taskId, {
      cursor: found.at(-1)?.appId ?? null,
      scanned: found.length,
      queued: 0,
      leaseSeconds: taskLeaseSeconds,
    });
    const done = found.length < batchSizes[task.kind];
    if (done) await tx.backgroundTasks.end(ctx.orgId, taskId, "finished");
    return { applications: found.length, done };
  });
}

function lookAt(tx: TxRepos, task: UsageTask): Promise<{ appId: string }[]> {
  const { kind, orgId, cursor, input } = task;
  const batch = { orgId, appIds: input.appIds, afterAppId: cursor, batchSize: batchSizes[kind] };
  switch (kind) {
    case "application.stats":
      return tx.usage.countDestinations(batch, {
        fromAttemptId: idBound("atmpt_", new Date(input.since ?? 0)),
        toAttemptId: idBound("atmpt_", new Date(input.until ?? task.createdAt)),
      });
    case "event-type.aggregate":
      return tx.usage.aggregateEventTypes(batch);
  }
}
