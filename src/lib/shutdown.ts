import type { Logger } from "./log.ts";

export type ShutdownStep = {
  name: string;
  /** Resolves when it has stopped; once the signal is aborted it should make haste. */
  stop(deadline: AbortSignal): Promise<unknown>;
};

/** What the last steps (closing connections, stopping PostgreSQL) get when the deadline has passed already. */
const graceMs = 5_000;

/** A terminal's ^C comes twice under `bun run`: to the whole group, and passed on by the runner. */
const sameSignalMs = 300;

/**
 * From now on the first SIGTERM or SIGINT doesn't end the process, but is kept for `stopOnSignal`; a second one ends
 * it at once, with exit code 130. To be called before anything is opened that would be left behind.
 */
export function catchSignals(): Promise<string> {
  let caughtAt: number | null = null;
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      process.on(name, () => {
        if (caughtAt !== null && performance.now() - caughtAt > sameSignalMs) process.exit(130);
        caughtAt ??= performance.now();
        resolve(name);
      });
    }
  });
}

/**
 * Resolves once a signal was caught and the steps have been taken, one after another within the deadline.
 * @returns whether every step ended in time
 */
export async function stopOnSignal(
  caught: Promise<string>,
  steps: ShutdownStep[],
  timeoutMs: number,
  log: Logger,
): Promise<boolean> {
  log.info({ signal: await caught, timeoutMs }, "stopping");
  return runSteps(steps, timeoutMs, log);
}

async function runSteps(steps: ShutdownStep[], timeoutMs: number, log: Logger): Promise<boolean> {
  const startedAt = performance.now();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  let clean = true;
  for (const step of steps) {
    const leftMs = Math.max(timeoutMs - (performance.now() - startedAt), 0) + graceMs;
    let giveUp: Timer | undefined;
    const tooLate = new Promise<"too late">((resolve) => {
      giveUp = setTimeout(() => resolve("too late"), leftMs);
    });
    try {
      if ((await Promise.race([step.stop(deadline.signal), tooLate])) === "too late") {
        clean = false;
        log.error({ step: step.name }, "did not stop in time");
      }
    } catch (error) {
      clean = false;
      log.error({ err: error, step: step.name }, "failed to stop");
    }
    clearTimeout(giveUp);
  }
  clearTimeout(timer);
  log.info({ durationMs: Math.round(performance.now() - startedAt), clean }, "stopped");
  return clean;
}
