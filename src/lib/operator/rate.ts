import { setTimeout as sleep } from "node:timers/promises";
import { intValue } from "../cli-values.ts";

export interface RateOptions {
  /** How many may go in a second; Infinity for no limit. */
  perSecond: number;
  signal: AbortSignal;
  /** The clock, for tests. */
  nowMs?: () => number;
  sleepMs?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Reads `--rate`: how many may go in a second, Infinity without the flag. @throws UsageError */
export const perSecondValue = (text: string | undefined): number =>
  text === undefined ? Number.POSITIVE_INFINITY : intValue("rate", text, { min: 1, max: 100_000 });

/**
 * Spaces batches so that over time no more than the rate goes through. Time that was not used is not saved up.
 * `take(n)` resolves when the next n may go, and rejects with the signal's reason when it aborts.
 */
export function createRateLimiter({
  perSecond,
  signal,
  nowMs = Date.now,
  sleepMs = (ms) => sleep(ms, undefined, { signal }),
}: RateOptions): { take: (count: number) => Promise<void> } {
  let freeAtMs = Number.NEGATIVE_INFINITY;
  return {
    async take(count) {
      signal.throwIfAborted();
      const now = nowMs();
      const waitMs = freeAtMs - now;
      freeAtMs = Math.max(freeAtMs, now) + (count / perSecond) * 1000;
      if (waitMs <= 0) return;
      await sleepMs(waitMs, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
    },
  };
}
