import { statementDeadlineMs, withDeadline } from "../lib/deadline.ts";
import { createGroupCommit, type When } from "../lib/group-commit.ts";
import type { Logger } from "../lib/log.ts";
import { isMissingPartition, isRetriable, isUnavailable, isUniqueViolation } from "../lib/postgres-errors.ts";
import type { Outcome, OutcomesRepo } from "../repos/outcomes.ts";
import { recountFrom } from "./attempt-counts.ts";

export type Recorder = {
  /**
   * Resolves once the outcome is committed, or, with false, once it is given up on. Never rejects.
   * @param when `soon` where something waits for it, as the next delivery in line does
   */
  record(outcome: Outcome, when?: When): Promise<boolean>;
  /** Outcomes that are not committed yet. */
  readonly pending: number;
  idle(): Promise<void>;
};

const groupSizeMax = 500;
/** Hardly anybody waits for an outcome, and a group costs as much as a dozen outcomes. Nor is it long to be forgotten in. */
const groupsApartMs = 10;
const retryDelaysMs = [50, 200, 500, 1000, 2000] as const;

export type RecorderOptions = {
  repo: OutcomesRepo;
  log: Logger;
  stopping: AbortSignal;
  /** Makes the partitions for what is being written now. */
  ensurePartitions(): Promise<void>;
  /** These endpoints' breakers are open: nothing more should go out to them. */
  onOpen(endpointIds: string[]): void;
};

/**
 * Writes outcomes in groups. While the database is away it waits: what it can't write is delivered again once the
 * lease has run out, so it gives up only when there is no sense in trying on.
 */
export function createRecorder(options: RecorderOptions): Recorder {
  const { repo, log, stopping } = options;
  const run = async (outcomes: Outcome[]): Promise<boolean[]> => {
    for (let tries = 0; ; tries += 1) {
      try {
        const open = await withDeadline(repo.record(outcomes, recountFrom(outcomes)), statementDeadlineMs);
        if (open.length > 0) options.onOpen(open);
        return outcomes.map(() => true);
      } catch (error) {
        if (isMissingPartition(error) && tries === 0) {
          await options.ensurePartitions();
          continue;
        }
        // An earlier try took effect, and only its answer was lost.
        if (tries > 0 && isUniqueViolation(error)) return outcomes.map(() => true);
        if (!isUnavailable(error) && !isRetriable(error)) return isolate(outcomes, error);
        if (stopping.aborted && tries >= retryDelaysMs.length) throw error;
        log.warn({ err: error, outcomes: outcomes.length }, "outcomes can't be written yet");
        await Bun.sleep(retryDelaysMs[Math.min(tries, retryDelaysMs.length - 1)] as number);
      }
    }
  };

  // One outcome that the database refuses must not take its group down with it.
  const isolate = async (outcomes: Outcome[], error: unknown): Promise<boolean[]> => {
    const [only] = outcomes;
    if (outcomes.length === 1 && only !== undefined) {
      log.error(
        { err: error, messageId: only.messageId, endpointId: only.endpointId },
        "an outcome can't be written",
      );
      return [false];
    }
    const written: boolean[] = [];
    for (const outcome of outcomes) written.push(...(await run([outcome])));
    return written;
  };

  const group = createGroupCommit<Outcome, boolean>({
    run,
    itemsMax: groupSizeMax,
    parallel: 1,
    apartMs: groupsApartMs,
  });
  return {
    record: (outcome, when) =>
      group.submit(outcome, when).catch((error: unknown) => {
        log.error(
          { err: error, messageId: outcome.messageId },
          "an outcome was given up: it will be delivered again",
        );
        return false;
      }),
    get pending() {
      return group.size;
    },
    idle: () => group.idle(),
  };
}
