import type { Logger } from "../lib/log.ts";
import type { Loop } from "../lib/loop.ts";
import type { Repos } from "../repos/index.ts";
import { runReplayBatch, taskLeaseSeconds } from "../services/replays.ts";
import { createSlicedTask, type SliceContext, workOnSlice } from "./slices.ts";

const roundTimeoutMs = 60_000;
const batchSizeDefault = 500;

/** Takes one task that sends again and works on it for a while. `taskId` is null when there is none. */
export async function runReplaysOnce(
  ctx: SliceContext & { batchSize?: number },
): Promise<{ taskId: string | null; scanned: number; queued: number; done: boolean }> {
  const { repos, log, batchSize = batchSizeDefault } = ctx;
  const counts = { scanned: 0, queued: 0 };
  const worked = await workOnSlice(
    ctx,
    (lease) => repos.backgroundTasks.claim(lease, taskLeaseSeconds),
    async (task, lease) => {
      const step = await runReplayBatch({ orgId: task.orgId, repos }, task.id, { batchSize, lease });
      counts.scanned += step.scanned;
      counts.queued += step.queued;
      return step.done;
    },
  );
  if (worked === null) return { taskId: null, ...counts, done: true };
  const { task, done } = worked;
  const result = { taskId: task.id, ...counts, done };
  log.info({ ...result, kind: task.kind, endpointId: task.input.endpointId }, "replayed");
  return result;
}

export const createReplaysTask = (parts: { repos: Repos; log: Logger }): Loop =>
  createSlicedTask({ ...parts, name: "replays", roundTimeoutMs, runOnce: runReplaysOnce });
