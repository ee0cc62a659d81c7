import { type OrderedPageQuery, type Page, page, pageRequest } from "../lib/pagination.ts";
import {
  type BackgroundTask,
  type BackgroundTaskKind,
  type BackgroundTaskStatus,
  isPurgeTask,
  isUsageTask,
  type PurgeTask,
  purgeKind,
  type ReplayTask,
  type TaskKind,
  type UsageKind,
  type UsageTask,
  usageKinds,
} from "../models/background-tasks.ts";
import type { BackgroundTaskOut, ReplayOut } from "../schemas/background-tasks.ts";
import { audit } from "./audit.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { notFound } from "./errors.ts";

// Clients know three statuses, and no backfill.
const statusOut = (status: BackgroundTaskStatus): ReplayOut["status"] =>
  status === "canceled" ? "failed" : status;
const kindOut = (kind: BackgroundTaskKind): ReplayOut["task"] =>
  kind === "endpoint.backfill" ? "endpoint.bulk-replay" : kind;

export const toReplayOut = (row: ReplayTask): ReplayOut => ({
  id: row.id,
  status: statusOut(row.status),
  task: kindOut(row.kind),
  updatedAt: row.updatedAt.toISOString(),
});

/** What these found, under the names that clients look for. */
const outputNames: Record<UsageKind, string> = {
  "application.stats": "appStats",
  "event-type.aggregate": "event_types",
};

const usageOut = (row: UsageTask): BackgroundTaskOut => ({
  id: row.id,
  status: statusOut(row.status),
  task: row.kind,
  updatedAt: row.updatedAt.toISOString(),
  data: {
    ...(row.status === "finished" && { [outputNames[row.kind]]: row.output ?? [] }),
    ...(row.status === "canceled" && { canceled: true }),
    ...(row.error !== null && { error: row.error }),
  },
});

const purgeOut = (row: PurgeTask): BackgroundTaskOut => ({
  id: row.id,
  status: statusOut(row.status),
  task: row.kind,
  updatedAt: row.updatedAt.toISOString(),
  data: {
    messagesPurged: row.queued,
    ...(row.status === "canceled" && { canceled: true }),
    ...(row.error !== null && { error: row.error }),
  },
});

function toOut(row: BackgroundTask): BackgroundTaskOut {
  if (isUsageTask(row)) return usageOut(row);
  return isPurgeTask(row) ? purgeOut(row) : replayOut(row);
}

const replayOut = (row: ReplayTask): BackgroundTaskOut => ({
  ...toReplayOut(row),
  data: {
    endpointId: row.input.endpointId,
    since: row.input.since,
    until: row.input.until,
    scanned: row.scanned,
    queued: row.queued,
    ...(row.status === "canceled" && { canceled: true }),
    ...(row.error !== null && { error: row.error }),
  },
});

const replayKinds: BackgroundTaskKind[] = [
  "endpoint.recover",
  "endpoint.replay",
  "endpoint.bulk-replay",
  "endpoint.backfill",
];

/** Newest first unless told. */
export async function listBackgroundTasks(
  ctx: Context,
  query: OrderedPageQuery & { status?: ReplayOut["status"]; task?: string },
): Promise<Page<BackgroundTaskOut>> {
  requireOrg(ctx);
  const request = pageRequest(query, query.order ?? "descending");
  const { status, task } = query;
  const rows = await ctx.repos.backgroundTasks.list(ctx.orgId, request, {
    status: status === undefined ? null : status === "failed" ? ["failed", "canceled"] : [status],
    kinds: task === undefined ? null : storedKinds(task),
  });
  return page(rows, request, (row) => row.id, toOut);
}

const storedKinds = (task: string): TaskKind[] => [
  ...([...usageKinds, purgeKind] as TaskKind[]).filter((kind) => kind === task),
  ...replayKinds.filter((kind) => kindOut(kind) === task),
];

export async function getBackgroundTask(ctx: Context, id: string): Promise<BackgroundTaskOut> {
  requireOrg(ctx);
  const row = await ctx.repos.backgroundTasks.find(ctx.orgId, id);
  if (!row) throw notFound();
  return toOut(row);
}

/** Stops it after the batch under way; what it has queued stays queued. One that has ended stays as it is. */
export async function cancelBackgroundTask(ctx: Context, id: string): Promise<BackgroundTaskOut> {
  requireOrg(ctx);
  const ended = await ctx.repos.tx(async (tx) => {
    const row = await tx.backgroundTasks.end(ctx.orgId, id, "canceled");
    if (row) {
      await audit(ctx, tx, {
        action: "background-task.cancel",
        target: id,
      });
    }
    return row;
  });
  return ended ? toOut(ended) : getBackgroundTask(ctx, id);
}
