import type { Logger } from "../lib/log.ts";
import type { Loop } from "../lib/loop.ts";
import type { Repos } from "../repos/index.ts";
import { runPurgeBatch } from "../services/purges.ts";
import { taskLeaseSeconds } from "../services/replays.ts";
import { createSlicedTask, type SliceContext, workOnSlice } from "./slices.ts";

const roundTimeoutMs = 60_000;

/** Takes one task that expunges and works on it for a while. `taskId` is null when there is none. */
export async function runPurgesOnce(
  ctx: SliceContext,
): Promise<{ taskId: string | null; purged: number; done: boolean }> {
  const { repos, log } = ctx;
  let purged = 0;
  const worked = await workOnSlice(
    ctx,
    (lease) => repos.backgroundTasks.claimPurge(lease, taskLeaseSeconds),
    async (task, lease) => {
      const step = await runPurgeBatch({ orgId: task.orgId, repos }, task.id, lease);
      purged += step.purged;
      return step.done;
    },
  );
  if (worked === null) return { taskId: null, purged, done: true };
  const result = { taskId: worked.task.id, purged, done: worked.done };
  log.info({ ...result, appId: worked.task.appId }, "contents expunged");
  return result;
}

export const createPurgesTask = (parts: { repos: Repos; log: Logger }): Loop =>
  createSlicedTask({ ...parts, name: "purges", roundTimeoutMs, runOnce: runPurgesOnce });
