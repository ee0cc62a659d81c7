import { createLoop, type Loop } from "../lib/loop.ts";
import { runPurgeBatch } from "../services/purges.ts";
import { taskLeaseSeconds } from "../services/replays.ts";
import type { ReplaysContext } from "./replays.ts";

/** A new task is told at once; this is for what another worker left unfinished. */
const intervalMs = 10_000;
const backoffMaxMs = 30_000;
/** Then the next task has its turn. */
const sliceMs = 2_000;
/** As long as a task's lease, and more: past it another worker may go on with it. */
const roundTimeoutMs = 60_000;

/** Takes one task that expunges and works on it for a while. `taskId` is null when there is none. */
export async function runPurgesOnce(
  ctx: Omit<ReplaysContext, "batchSize">,
): Promise<{ taskId: string | null; purged: number; done: boolean }> {
  const lease = crypto.randomUUID();
  const task = await ctx.repos.backgroundTasks.claimPurge(lease, taskLeaseSeconds);
  const counts = { taskId: task?.id ?? null, purged: 0, done: task === null };
  if (task === null) return counts;
  const until = performance.now() + sliceMs;
  try {
    while (!counts.done && !ctx.signal.aborted && performance.now() < until) {
      const step = await runPurgeBatch({ orgId: task.orgId, repos: ctx.repos }, task.id, lease);
      counts.purged += step.purged;
      counts.done = step.done;
    }
  } finally {
    await ctx.repos.backgroundTasks.release(task.id, lease);
  }
  ctx.log.info({ ...counts, appId: task.appId }, "contents expunged");
  return counts;
}

export function createPurgesTask({ repos, log }: Pick<ReplaysContext, "repos" | "log">): Loop {
  return createLoop({
    name: "purges",
    log,
    intervalMs,
    backoffMaxMs,
    roundTimeoutMs,
    runOnce: async (signal) => {
      const { taskId } = await runPurgesOnce({ repos, log, signal });
      return taskId === null ? "wait" : "again";
    },
  });
}
