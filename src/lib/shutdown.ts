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
 * Resolves at the first SIGTERM or SIGINT, after the steps have been taken one after another within the deadline.
 * A second signal ends the process at once, with exit code 130.
 * @returns whether every step ended in time
 */
export async function stopOnSignal(steps: ShutdownStep[], timeoutMs: number, log: Logger): Promise<boolean> {
  const signal = await nextSignal();
  const signalledAt = performance.now();
  const exitAtSecond = () => {
    if (performance.now() - signalledAt > sameSignalMs) process.exit(130);
  };
  process.on("SIGTERM", exitAtSecond);
  process.on("SIGINT", exitAtSecond);
  log.info({ signal, timeoutMs }, "stopping");
  return runSteps(steps, timeoutMs, log);
}

const nextSignal = () =>
  new Promise<string>((resolve) => {
    process.once("SIGTERM", () => resolve("SIGTERM"));
    process.once("SIGINT", () => resolve("SIGINT"));
  });

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
