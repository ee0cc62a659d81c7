import type { Logger } from "../lib/log.ts";
import { createLoop, type Loop } from "../lib/loop.ts";
import type { Repos } from "../repos/index.ts";
import { runReplayBatch, taskLeaseSeconds } from "../services/replays.ts";

/** A new task is told at once; this is for what another worker left unfinished. */
const intervalMs = 10_000;
const backoffMaxMs = 30_000;
/** Past a task's lease: another worker may go on with it by then. */
const roundTimeoutMs = 60_000;
const batchSize = 500;
/** Then the next task has its turn. */
const sliceMs = 2_000;

export type ReplaysContext = {
  repos: Repos;
  log: Logger;
  signal: AbortSignal;
  batchSize?: number;
};

/** Takes one task and works on it for a while. Returns what came of it; `taskId` is null when none is to be done. */
export async function runReplaysOnce(
  ctx: ReplaysContext,
): Promise<{ taskId: string | null; scanned: number; queued: number; done: boolean }> {
  const lease = crypto.randomUUID();
  const task = await ctx.repos.backgroundTasks.claim(lease, taskLeaseSeconds);
  const counts = { taskId: task?.id ?? null, scanned: 0, queued: 0, done: task === null };
  if (task === null) return counts;
  const scope = { orgId: task.orgId, repos: ctx.repos };
  const until = performance.now() + sliceMs;
  try {
    do {
      const step = await runReplayBatch(scope, task.id, { batchSize: ctx.batchSize ?? batchSize, lease });
      counts.scanned += step.scanned;
      counts.queued += step.queued;
      counts.done = step.done;
    } while (!counts.done && !ctx.signal.aborted && performance.now() < until);
  } finally {
    await ctx.repos.backgroundTasks.release(task.id, lease);
  }
  ctx.log.info({ ...counts, kind: task.kind, endpointId: task.input.endpointId }, "replayed");
  return counts;
}

/** Works on background tasks, one at a time in a process; several processes share them. */
export function createReplaysTask({ repos, log }: { repos: Repos; log: Logger }): Loop {
  return createLoop({
    name: "replays",
    log,
    intervalMs,
    backoffMaxMs,
    roundTimeoutMs,
    runOnce: async (signal) => {
      const { taskId } = await runReplaysOnce({ repos, log, signal });
      return taskId === null ? "wait" : "again";
    },
  });
}
