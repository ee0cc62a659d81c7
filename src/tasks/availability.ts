import { DeadlineError, statementDeadlineMs } from "../lib/deadline.ts";
import type { Logger } from "../lib/log.ts";
import { createLoop } from "../lib/loop.ts";
import { isUnavailable } from "../lib/postgres-errors.ts";
import { AppError } from "../services/errors.ts";

/** While requests come; without any there are no questions. */
const intervalMs = 1_000;
const intervalDownMs = 100;
/** Long enough for a busy process to see the answer that has come. */
const patienceMs = 2_000;
const patienceDownMs = 1_000;

export type Availability = {
  /** @throws AppError unavailable while the database is known to be away: better than to wait for it in a crowd */
  admit(): void;
  /** Something failed as it does when the database is away. */
  suspect(): void;
  start(): void;
  stop(): Promise<void>;
};

export type AvailabilityParts = {
  /** Resolves when the database answers; rejects after that time when it doesn't. */
  ping(timeoutMs: number): Promise<void>;
  /** Drops all connections. */
  cut(): void;
  log: Logger;
};

/** Knows whether the database is there before a request has to find out. */
export function createAvailability({ ping, cut, log }: AvailabilityParts): Availability {
  let down = false;
  let asked = false;
  /** It gave no answer at all: what was begun meanwhile will never end. */
  let silent = false;

  const fault = (timeoutMs: number): Promise<unknown> =>
    ping(timeoutMs).then(
      () => null,
      (error: unknown) => (isUnavailable(error) ? error : null),
    );

  const lookWhileUp = async (): Promise<void> => {
    // Once more, since the first may only have found that its own connection was cut.
    const found = (await fault(patienceMs)) && (await fault(patienceMs));
    if (found === null) return;
    log.warn({ err: found }, "the database can't be reached");
    down = true;
    if (found instanceof DeadlineError) cutSilent();
  };

  const lookWhileDown = async (): Promise<void> => {
    const found = await fault(patienceDownMs);
    if (found instanceof DeadlineError) return cutSilent();
    if (found !== null) return;
    if (silent) cut();
    silent = false;
    log.warn("the database is back");
    down = false;
  };

  /** Connections to a server that left without a word look alive for a quarter of an hour. */
  const cutSilent = (): void => {
    silent = true;
    cut();
  };

  const loop = createLoop({
    name: "availability",
    log,
    intervalMs,
    backoffMaxMs: intervalMs,
    roundTimeoutMs: statementDeadlineMs,
    runOnce: async () => {
      if (!asked && !down) return "wait";
      asked = false;
      await (down ? lookWhileDown() : lookWhileUp());
      if (!down) return "wait";
      await Bun.sleep(intervalDownMs);
      return "again";
    },
  });

  return {
    admit() {
      asked = true;
      if (down) throw new AppError("unavailable");
    },
    suspect() {
      asked = true;
      loop.wake();
    },
    start: () => loop.start(),
    stop: () => loop.stop(),
  };
}
