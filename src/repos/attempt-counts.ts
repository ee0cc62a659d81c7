/**
 * How an endpoint's attempts ended, by the hour. Hours are counted once they are over, so that who records an attempt
 * pays nothing for it: the one row of attempts_counted, the mark, says how far, and what is past it is counted when
 * somebody asks.
 *
 * Who records an attempt that is older than an hour's count may be moves the mark back, and adds to its `rewinds`, in
 * the statement that records it (outcomes.ts). Who counts holds the mark's row shared while a batch is written, and only
 * as long as it is what it was at the beginning. So either a count sees such an attempt, or it is not written or not
 * believed, and several may count at once.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** How far attempts are counted. */
export type Mark = {
  /** Those with smaller ids are, but for what was past the retention by then. Empty: none. */
  beforeId: string;
  rewinds: number;
};

/** Counted hours in the middle, none when the two are the same, and edges that are no whole hours or not counted yet. */
export type CountRange = { from: string; countedFrom: string; countedTo: string; to: string };

export type AttemptCounts = { succeeded: number; failed: number; canceled: number };

export function createAttemptCountsRepo(db: Db | Tx) {
  return {
    async mark(): Promise<Mark> {
      const [row] = await db.execute<Mark>(sql`
        select before_id as "beforeId", rewinds from attempts_counted where one`);
      if (row === undefined) throw new Error("attempts_counted has lost its row");
      return row;
    },

    /** Moves the mark on, unless somebody has moved it meanwhile. Index: the key. */
    async moveMark({ beforeId, rewinds }: Mark, toId: string): Promise<boolean> {
      const result = await db.execute(sql`
        update attempts_counted set before_id = ${toId}
        where one and before_id = ${beforeId} and rewinds = ${rewinds}`);
      return result.count > 0;
    },

    /**
     * Counts the hours that start with these ids, the last of them up to another id, of the next endpoints, deleted ones
     * too. An endpoint that is being erased meanwhile is left out. Indexes: the keys, and for each endpoint
     * attempts_endpoint and attempts_unsuccessful.
     * @returns the last endpoint, or null when there is none left or the mark is not what it was
     */
    async countHours(batch: {
      mark: Mark;
      hours: string[];
      toId: string;
      afterId: string;
      limit: number;
    }): Promise<string | null> {
      const hours = sql`${sql.param(batch.hours)}::text[]`;
      const within = sql`endpoint_id = b.id and id >= ${batch.hours[0]} and id < ${batch.toId}`;
      const [row] = await db.execute<{ last_id: string | null }>(sql`
        with mark as materialized (
          select from attempts_counted
          where one and before_id = ${batch.mark.beforeId} and rewinds = ${batch.mark.rewinds} for share
        ),
        batch as materialized (
          select id from endpoints where id > ${batch.afterId} and exists (select from mark)
          order by id limit ${batch.limit}
        ),
        counted as materialized (
          select b.id as endpoint_id, t.*
          from batch b cross join lateral (
            select hour, sum(made - failed - canceled) as succeeded, sum(failed) as failed, sum(canceled) as canceled
            from (
              select width_bucket(id, ${hours}) as hour, count(*) as made, 0 as failed, 0 as canceled
              from attempts where ${within} group by 1
              union all
              select width_bucket(id, ${hours}), 0, count(*), 0 from attempts where ${within} and status = 2 group by 1
              union all
              select width_bucket(id, ${hours}), 0, 0, count(*) from attempts where ${within} and status = 4 group by 1
            ) one
            group by hour
          ) t
        ),
        stored as (
          insert into attempt_counts as a (endpoint_id, id, org_id, succeeded, failed, canceled)
          select c.endpoint_id, (${hours})[c.hour], e.org_id, c.succeeded, c.failed, c.canceled
          from counted c
          cross join lateral (
            select org_id from endpoints where id = c.endpoint_id offset 0 for key share
          ) e
          order by c.endpoint_id, c.hour
          on conflict (endpoint_id, id) do update
          set succeeded = excluded.succeeded, failed = excluded.failed, canceled = excluded.canceled
          where (a.succeeded, a.failed, a.canceled) <> (excluded.succeeded, excluded.failed, excluded.canceled)
        )
        select max(id) as last_id from batch`);
      return row?.last_id ?? null;
    },

    /**
     * How an endpoint's attempts ended: the counted hours as they were counted, the edges as they are, in one snapshot.
     * Null when the mark was moved back since it was read. Indexes: the key, attempts_endpoint and
     * attempts_unsuccessful, and nothing else.
     */
    async count(
      endpointId: string,
      { from, countedFrom, countedTo, to }: CountRange,
      { rewinds }: Mark,
    ): Promise<AttemptCounts | null> {
      const within = (fromId: string, toId: string) =>
        sql`endpoint_id = ${endpointId} and id >= ${fromId} and id < ${toId}`;
      const edge = (ids: SQL) => sql`
        select made - failed - canceled, failed, canceled
        from (select (select count(*) from attempts where ${ids}) as made,
                     (select count(*) from attempts where ${ids} and status = 2) as failed,
                     (select count(*) from attempts where ${ids} and status = 4) as canceled offset 0) one`;
      const [row] = await db.execute<AttemptCounts>(sql`
        select coalesce(sum(succeeded), 0)::float8 as succeeded, coalesce(sum(failed), 0)::float8 as failed,
               coalesce(sum(canceled), 0)::float8 as canceled
        from (
          select sum(succeeded) as succeeded, sum(failed) as failed, sum(canceled) as canceled
          from attempt_counts where ${within(countedFrom, countedTo)}
          union all ${edge(within(from, countedFrom))}
          union all ${edge(within(countedTo, to))}
        ) part
        having (select rewinds from attempts_counted where one) = ${rewinds}`);
      return row ?? null;
    },
  };
}
