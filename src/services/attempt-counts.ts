import { idBound, idTime } from "../lib/ids.ts";
import type { AttemptCounts, CountRange, Mark } from "../repos/attempt-counts.ts";
import type { Repos } from "../repos/index.ts";
import { ensurePartitions, firstWeek, weekStart } from "./partitions.ts";
import type { RetentionContext } from "./retention.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** An hour is counted so long after its end. Attempts are recorded within seconds, while the database is there. */
const settledMs = 30 * 60_000;
/** One that is recorded so long after it was made may come too late. The rest of `settledMs` is for clocks that differ. */
const lateMs = 15 * 60_000;
/** Keeps statements short, where there is much to catch up with. */
const hoursPerPass = 24;
/** Nor do the other schedules of this worker wait for all of it. */
const passesPerRun = 7;
const endpointsPerBatch = 500;

const hourOf = (ms: number): number => Math.floor(ms / hourMs) * hourMs;
/** Up to when (Unix milliseconds) attempts are counted; 0 when none are. */
const timeOf = ({ beforeId }: Mark): number => (beforeId === "" ? 0 : idTime(beforeId).getTime());

/** Counts the hours that are over and not counted yet, a week of them at most. Returns how many. */
export async function countAttempts(ctx: RetentionContext): Promise<number> {
  let hours = 0;
  for (let pass = 0; pass < passesPerRun; pass += 1) {
    const counted = await countNextHours(ctx);
    if (counted === 0) break;
    hours += counted;
  }
  return hours;
}

/** A day of them at most. What is cut short is counted anew. */
async function countNextHours({ repos, now, retentionDays, signal }: RetentionContext): Promise<number> {
  const [mark, oldest] = [await repos.attemptCounts.mark(), await firstWeek(repos, "attempts")];
  if (oldest === null) return 0;
  const fromMs = Math.max(
    timeOf(mark),
    oldest.getTime(),
    weekStart(new Date(now.getTime() - retentionDays * dayMs)).getTime(),
  );
  const toMs = Math.min(fromMs + hoursPerPass * hourMs, hourOf(now.getTime() - settledMs));
  if (toMs <= fromMs) return 0;
  // A database that is older than the counts has no partitions for them.
  await ensurePartitions(repos, { from: new Date(fromMs), to: new Date(toMs) });
  const count = (toMs - fromMs) / hourMs;
  const hours = Array.from({ length: count }, (_, n) => idBound("atmpt_", fromMs + n * hourMs));
  const toId = idBound("atmpt_", toMs);
  for (let afterId: string | null = ""; afterId !== null; ) {
    if (signal.aborted) return 0;
    afterId = await repos.attemptCounts.countHours({ mark, hours, toId, afterId, limit: endpointsPerBatch });
  }
  return (await repos.attemptCounts.moveMark(mark, toId)) ? count : 0;
}

/** The hour to count anew once these attempts are recorded now; null as long as none of them comes late. */
export function recountFrom(attempts: readonly { attemptId: string }[]): string | null {
  const lateId = idBound("atmpt_", Date.now() - lateMs);
  let oldestId = lateId;
  for (const { attemptId } of attempts) if (attemptId < oldestId) oldestId = attemptId;
  return oldestId === lateId ? null : idBound("atmpt_", hourOf(idTime(oldestId).getTime()));
}

/**
 * How an endpoint's attempts from one time to another (Unix milliseconds, that one excluded) ended. The mark is read
 * first, so that the planner can tell which partitions are of no use; it is hardly ever moved back meanwhile.
 */
export async function sumAttempts(
  { attemptCounts }: Pick<Repos, "attemptCounts">,
  endpointId: string,
  fromMs: number,
  toMs: number,
): Promise<AttemptCounts> {
  // Only attempts that came late between the two statements make it go round again.
  for (;;) {
    const mark = await attemptCounts.mark();
    const counts = await attemptCounts.count(endpointId, rangeOf(fromMs, toMs, mark), mark);
    if (counts !== null) return counts;
  }
}

function rangeOf(fromMs: number, toMs: number, mark: Mark): CountRange {
  const countedFromMs = Math.min(hourOf(fromMs + hourMs - 1), toMs);
  const countedToMs = Math.max(countedFromMs, Math.min(hourOf(toMs), timeOf(mark)));
  return {
    from: idBound("atmpt_", fromMs),
    countedFrom: idBound("atmpt_", countedFromMs),
    countedTo: idBound("atmpt_", countedToMs),
    to: idBound("atmpt_", toMs),
  };
}
