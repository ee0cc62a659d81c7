import { ID_STEP_MS, type IdPrefix, idBound } from "../lib/ids.ts";
import { type PageQuery, type PageRequest, pageRequest } from "../lib/pagination.ts";
import { queryTime } from "./times.ts";

const dayMs = 86_400_000;
/** Lists of messages and attempts go back so far. */
const listWindowMs = 90 * dayMs;

/** `from` inclusive, `to` exclusive: what keeps a query out of the partitions that can't hold its rows. */
export type IdRange = { from: string; to: string };

export type RangeQuery = PageQuery & { before?: string; after?: string };

/**
 * The ids that a list newest first is about, and its page. With `after` alone the page starts at the oldest and leads
 * to the newer ones.
 */
export function newestFirst(
  prefix: IdPrefix,
  query: RangeQuery,
  now = new Date(),
): { range: IdRange; request: PageRequest } {
  const before = queryTime("before", query.before);
  const after = queryTime("after", query.after);
  const oldest = Math.max(now.getTime() - listWindowMs, after?.getTime() ?? 0);
  const request = pageRequest(query, "descending");
  const upwards = query.iterator === undefined && before === null && after !== null;
  return {
    range: {
      from: idBound(prefix, oldest),
      // Rounded up to a step, so that what was made in the millisecond before is not lost.
      to: before === null ? idsEnd(prefix, now) : idBound(prefix, before.getTime() + ID_STEP_MS - 1),
    },
    request: upwards ? { ...request, backward: true, scan: "ascending" } : request,
  };
}

/** No id there is is as large, unless a clock is a day ahead: it keeps the partitions of coming weeks out. */
export const idsEnd = (prefix: IdPrefix, now = new Date()): string => idBound(prefix, now.getTime() + dayMs);

/** No attempt of the message has a smaller id: see `firstAttemptId` of the repos, which says the same in SQL. */
export const firstAttemptIdOf = (messageId: string): string => `atmpt_${messageId.slice(4, 8)}`;
