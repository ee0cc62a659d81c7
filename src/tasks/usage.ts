import { createLoop, type Loop } from "../lib/loop.ts";
import { taskLeaseSeconds } from "../services/replays.ts";
import { runUsageBatch } from "../services/usage.ts";
import type { ReplaysContext } from "./replays.ts";

/** A new task is told at once; this is for what another worker left unfinished. */
const intervalMs = 10_000;
const backoffMaxMs = 30_000;
/** Then the next task has its turn. */
const sliceMs = 2_000;
/** A step counts what the largest applications have sent in months. */
const roundTimeoutMs = 600_000;

/** Takes one task that counts and works on it for a while. Returns how far it came; `taskId` is null when there is none. */
export async function runUsageOnce(
  ctx: Omit<ReplaysContext, "batchSize">,
): Promise<{ taskId: string | null; applications: number; done: boolean }> {
  const lease = crypto.randomUUID();
  const task = await ctx.repos.backgroundTasks.claimUsage(lease, taskLeaseSeconds);
  const counts = { taskId: task?.id ?? null, applications: 0, done: task === null };
  if (task === null) return counts;
  const until = performance.now() + sliceMs;
  try {
    while (!counts.done && !ctx.signal.aborted && performance.now() < until) {
      const step = await runUsageBatch({ orgId: task.orgId, repos: ctx.repos }, task.id, lease);
      counts.applications += step.applications;
      counts.done = step.done;
    }
  } finally {
    await ctx.repos.backgroundTasks.release(task.id, lease);
  }
  ctx.log.info({ ...counts, kind: task.kind }, "usage counted");
  return counts;
}

export function createUsageTask({ repos, log }: Pick<ReplaysContext, "repos" | "log">): Loop {
  return createLoop({
    name: "usage",
    log,
    intervalMs,
    backoffMaxMs,
    roundTimeoutMs,
    runOnce: async (signal) => {
      const { taskId } = await runUsageOnce({ repos, log, signal });
      return taskId === null ? "wait" : "again";
    },
  });
}
