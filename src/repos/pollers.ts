import { and, desc, eq, gt, sql } from "drizzle-orm";
import { messages } from "../models/messages.ts";
import { type PollConsumer, pollConsumers } from "../models/poll-consumers.ts";
import type { Db, Tx } from "./db.ts";
import { arrivalLocks } from "./poll-fence.ts";

export type ConsumerScope = { orgId: string; endpointId: string; consumerId: string };

/** A single consumer is found by its key. */
export function createPollersRepo(db: Db | Tx) {
  const one = ({ orgId, endpointId, consumerId }: ConsumerScope) =>
    and(
      eq(pollConsumers.endpointId, endpointId),
      eq(pollConsumers.consumerId, consumerId),
      eq(pollConsumers.orgId, orgId),
    );

  return {
    /** The application's newest message, if it is past that id. Index: messages_app_id, its end. */
    async newest(scope: { orgId: string; appId: string; afterId: string }): Promise<string | null> {
      const [row] = await db
        .select({ id: messages.id })
        .from(messages)
        .where(
          and(
            eq(messages.appId, scope.appId),
            eq(messages.orgId, scope.orgId),
            gt(messages.id, scope.afterId),
          ),
        )
        .orderBy(desc(messages.id))
        .limit(1);
      return row?.id ?? null;
    },

    /**
     * Moves the fence to that time (Unix milliseconds) unless it is past it, then looks what is still on its way: see
     * poll-fence.ts. CASE keeps that order.
     * @returns the oldest time of what is on its way, null when there is nothing: what statements see from here on is
     * complete up to it and to the fence
     */
    async raiseFence(untilMs: number): Promise<number | null> {
      const { mark, markShift, timeMask } = arrivalLocks;
      const until = sql`${untilMs}::bigint`;
      const rows = await db.execute<{ oldest: string | null }>(sql`
        select case
          when (select last_value from poll_fence) >= ${until}
            or (case when pg_advisory_xact_lock(hashtext('posthorn:poll_fence')) is not null
                     then setval('poll_fence', greatest((select last_value from poll_fence), ${until})) end) > 0
          then (
            select min(((classid::bigint << 32) | objid::bigint) & ${timeMask}::bigint) from pg_locks
            where locktype = 'advisory' and objsubid = 1 and classid::bigint >> ${markShift}::int = ${mark}::bigint
              and database = (select oid from pg_database where datname = current_database())
          )
        end as oldest`);
      const oldest = rows[0]?.oldest;
      return oldest == null ? null : Number(oldest);
    },

    async findConsumer(scope: ConsumerScope): Promise<PollConsumer | null> {
      const [row] = await db.select().from(pollConsumers).where(one(scope));
      return row ?? null;
    },

    /** Moves a consumer on, or makes it. False when it stands there already or further on, or was moved by a seek. */
    async advance(scope: ConsumerScope, to: { position: string; seeks: number }): Promise<boolean> {
      const rows = await db
        .insert(pollConsumers)
        .values({ ...scope, ...to })
        .onConflictDoUpdate({
          target: [pollConsumers.endpointId, pollConsumers.consumerId],
          set: { position: to.position, updatedAt: sql`now()` },
          setWhere: sql`${pollConsumers.orgId} = ${scope.orgId} and ${pollConsumers.seeks} = ${to.seeks}
                        and ${pollConsumers.position} < ${to.position}`,
        })
        .returning({ position: pollConsumers.position });
      return rows.length > 0;
    },

    /** Moves a consumer, or makes it, wherever it stood. Returns how often that was done. */
    async seek(scope: ConsumerScope, position: string): Promise<number> {
      const [row] = await db
        .insert(pollConsumers)
        .values({ ...scope, position, seeks: 1 })
        .onConflictDoUpdate({
          target: [pollConsumers.endpointId, pollConsumers.consumerId],
          set: { position, seeks: sql`${pollConsumers.seeks} + 1`, updatedAt: sql`now()` },
          setWhere: eq(pollConsumers.orgId, scope.orgId),
        })
        .returning({ seeks: pollConsumers.seeks });
      return row?.seeks ?? 0;
    },
  };
}
