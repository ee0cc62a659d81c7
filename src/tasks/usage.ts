import type { Logger } from "../lib/log.ts";
import type { Loop } from "../lib/loop.ts";
import type { Repos } from "../repos/index.ts";
import { taskLeaseSeconds } from "../services/replays.ts";
import { runUsageBatch } from "../services/usage.ts";
import { createSlicedTask, type SliceContext, workOnSlice } from "./slices.ts";

/** A step counts what the largest applications have sent in months. */
const roundTimeoutMs = 600_000;

/** Takes one task that counts and works on it for a while. `taskId` is null when there is none. */
export async function runUsageOnce(
  ctx: SliceContext,
): Promise<{ taskId: string | null; applications: number; done: boolean }> {
  const { repos, log } = ctx;
  let applications = 0;
  const worked = await workOnSlice(
    ctx,
    (lease) => repos.backgroundTasks.claimUsage(lease, taskLeaseSeconds),
    async (task, lease) => {
      const step = await runUsageBatch({ orgId: task.orgId, repos }, task.id, lease);
      applications += step.applications;
      return step.done;
    },
  );
  if (worked === null) return { taskId: null, applications, done: true };
  const result = { taskId: worked.task.id, applications, done: worked.done };
  log.info({ ...result, kind: worked.task.kind }, "usage counted");
  return result;
}

export const createUsageTask = (parts: { repos: Repos; log: Logger }): Loop =>
  createSlicedTask({ ...parts, name: "usage", roundTimeoutMs, runOnce: runUsageOnce });
