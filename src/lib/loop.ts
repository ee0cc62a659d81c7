import { withDeadline } from "./deadline.ts";
import type { Logger } from "./log.ts";

export type LoopOptions = {
  name: string;
  log: Logger;
  /** How long to wait after a round. */
  intervalMs: number;
  /** The longest wait after rounds that failed, one after another. */
  backoffMaxMs: number;
  /** When a round is given up; what it does meanwhile must bear to be done again. */
  roundTimeoutMs: number;
  /** @returns "again" to go on without a wait */
  runOnce(signal: AbortSignal): Promise<"again" | "wait">;
};

export type Loop = {
  start(): void;
  /** Ends the present wait, or makes the next one void. */
  wake(): void;
  /** Wakes it after so long, if that is before the present wait would end. Of several moments only the earliest counts. */
  wakeIn(ms: number): void;
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>;
};

/** Runs a round of work again and again: with an interval, an early wake, and a back-off while it fails. */
export function createLoop(options: LoopOptions): Loop {
  const abort = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  let started = false;
  let woken = false;
  let endWait: (() => void) | null = null;
  let alarm: Timer | undefined;
  let alarmAtMs = Number.POSITIVE_INFINITY;

  const wait = (ms: number): Promise<void> => {
    if (woken || abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => endWait?.(), ms);
      endWait = () => {
        clearTimeout(timer);
        endWait = null;
        resolve();
      };
    });
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !abort.signal.aborted; ) {
      woken = false;
      try {
        const next = await withDeadline(options.runOnce(abort.signal), options.roundTimeoutMs);
        failures = 0;
        if (next === "wait") await wait(options.intervalMs);
      } catch (error) {
        failures += 1;
        if (abort.signal.aborted) return;
        options.log.warn({ err: error, loop: options.name, failures }, "a round failed");
        woken = false;
        // An early wake cuts the back-off short too, but for the moment that keeps a failing round from spinning.
        await Bun.sleep(Math.min(50, options.backoffMaxMs));
        await wait(Math.min(options.backoffMaxMs, 100 * 2 ** Math.min(failures, 16)));
      }
    }
  };

  const wake = (): void => {
    woken = true;
    endWait?.();
  };

  return {
    start() {
      if (started || abort.signal.aborted) return;
      started = true;
      ended = run();
    },
    wake,
    wakeIn(ms) {
      const atMs = performance.now() + ms;
      if (atMs >= alarmAtMs || ms > options.intervalMs || abort.signal.aborted) return;
      clearTimeout(alarm);
      alarmAtMs = atMs;
      alarm = setTimeout(() => {
        alarmAtMs = Number.POSITIVE_INFINITY;
        wake();
      }, ms);
    },
    stop() {
      abort.abort();
      clearTimeout(alarm);
      endWait?.();
      return ended;
    },
  };
}
