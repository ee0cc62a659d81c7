import type { Logger } from "../lib/log.ts";
import { createLoop, type Loop } from "../lib/loop.ts";
import type { Repos } from "../repos/index.ts";

export type SliceContext = { repos: Repos; log: Logger; signal: AbortSignal };

/** A new task is told at once; this is for what another worker left unfinished. */
const intervalMs = 15_000;
const backoffMaxMs = 30_000;
/** Then the next task has its turn. */
const sliceMs = 2_000;

/**
 * Takes one background task under a lease, works on it step by step for a while, and gives it back.
 * @param step returns whether the task is done
 * @returns the task and whether it is done; null when there is none
 */
export async function workOnSlice<T extends { id: string }>(
  { repos, signal }: SliceContext,
  claim: (lease: string) => Promise<T | null>,
  step: (task: T, lease: string) => Promise<boolean>,
): Promise<{ task: T; done: boolean } | null> {
  const lease = crypto.randomUUID();
  const task = await claim(lease);
  if (task === null) return null;
  const until = performance.now() + sliceMs;
  let done = false;
  try {
    do done = await step(task, lease);
    while (!done && !signal.aborted && performance.now() < until);
  } finally {
    await repos.backgroundTasks.release(task.id, lease);
  }
  return { task, done };
}

/** Works on tasks of a kind, one at a time in a process; several processes share them. */
export function createSlicedTask(options: {
  name: string;
  repos: Repos;
  log: Logger;
  /** Past a task's lease another worker may go on with it. */
  roundTimeoutMs: number;
  /** `taskId` is null when there was nothing to do. */
  runOnce(ctx: SliceContext): Promise<{ taskId: string | null }>;
}): Loop {
  const { name, repos, log, roundTimeoutMs } = options;
  return createLoop({
    name,
    log,
    intervalMs,
    backoffMaxMs,
    roundTimeoutMs,
    runOnce: async (signal) => {
      const { taskId } = await options.runOnce({ repos, log, signal });
      return taskId === null ? "wait" : "again";
    },
  });
}
