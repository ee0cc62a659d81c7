import { type SQL, sql } from "drizzle-orm";
import type { ReplayInput } from "../models/background-tasks.ts";
import { priorities, triggers } from "../models/deliveries.ts";
import type { Db, Tx } from "./db.ts";
import { firstAttemptId } from "./delivery-states.ts";

export type ReplayBatch = {
  orgId: string;
  appId: string;
  input: ReplayInput;
  /** Messages past this one, and before that one. */
  afterId: string;
  beforeId: string;
  batchSize: number;
};

/** `lastId`: the last message that was looked at, null when there was none. */
export type ReplayStep = { scanned: number; queued: number; lastId: string | null };

const conditions: Record<ReplayInput["only"], SQL> = {
  missing: sql`not t.attempted and not t.queued`,
  failed: sql`t.attempted and not t.succeeded and not t.queued`,
  succeeded: sql`t.succeeded`,
  all: sql`true`,
};

/**
 * The next messages of an application, and those of them that the endpoint is to be sent: its filters match, their
 * payload is there, and what has come of them so far is what was asked for.
 * Indexes: messages_app_id, and for each message the keys of attempts and deliveries.
 */
function wanted({ orgId, appId, input, afterId, beforeId, batchSize }: ReplayBatch): SQL {
  const { endpointId, eventTypes, channel, statusCodeClass, only } = input;
  return sql`
    batch as materialized (
      select id, event_type, channels, payload is not null and payload_expires_at > now() as sendable
      from messages
      where app_id = ${appId} and org_id = ${orgId} and id > ${afterId} and id < ${beforeId}
      order by id limit ${batchSize}
    ),
    wanted as materialized (
      select b.id, e.fifo, row_number() over (order by b.id) as ordinal
      from batch b
      join endpoints e on e.id = ${endpointId} and e.app_id = ${appId} and e.deleted_at is null and not e.disabled
      cross join lateral (
        select count(*) > 0 as attempted, coalesce(bool_or(a.status = 0), false) as succeeded,
               coalesce(bool_or(a.response_status_code / 100 * 100 = ${statusCodeClass}::int), false) as in_class,
               exists (select from deliveries d where d.message_id = b.id and d.endpoint_id = ${endpointId}) as queued
        from attempts a
        where a.message_id = b.id and a.id >= ${firstAttemptId(sql`b.id`)} and a.endpoint_id = ${endpointId}
      ) t
      where b.sendable
        and (e.event_types is null or b.event_type = any(e.event_types))
        and (e.channels is null or e.channels && b.channels)
        and case when e.filter_path is null then true else
              (select payload_document(m.payload, m.content_type) from messages m where m.id = b.id) @@ e.filter_path end
        and ${eventTypes === null ? sql`true` : sql`b.event_type = any(${sql.param(eventTypes)}::text[])`}
        and ${channel === null ? sql`true` : sql`${channel} = any(b.channels)`}
        and ${statusCodeClass === null ? sql`true` : sql`t.in_class`}
        and ${conditions[only]}
    )`;
}

type Row = { scanned: number; queued: number; last_id: string | null };
const toStep = ([row]: readonly Row[]): ReplayStep => ({
  scanned: row?.scanned ?? 0,
  queued: row?.queued ?? 0,
  lastId: row?.last_id ?? null,
});

export function createReplaysRepo(db: Db | Tx) {
  return {
    /**
     * Queues what the next batch holds, a millisecond apart, or as far as the rate says: then the n-th delivery of a
     * task that began at `startedAt` is due n / rate seconds later.
     */
    async queueBatch(
      batch: ReplayBatch,
      pace: { startedAt: Date; queuedBefore: number },
    ): Promise<ReplayStep> {
      const { orgId, appId, input } = batch;
      const dueAt =
        input.rate === null
          ? sql`now() + ordinal * interval '1 millisecond'`
          : sql`greatest(now(), ${pace.startedAt.toISOString()}::timestamptz
                  + (${pace.queuedBefore}::float8 + ordinal) / ${input.rate}::float8 * interval '1 second')`;
      const rows = await db.execute<Row>(sql`
        with ${wanted(batch)},
        queued as (
          insert into deliveries (message_id, endpoint_id, trigger, org_id, app_id, priority, position,
                                  due_at)
          select id, ${input.endpointId}, ${triggers.scheduled}, ${orgId}, ${appId},
                 case when fifo then ${priorities.inLine}::int else ${priorities.bulk}::int end,
                 case when fifo then (select nextval('delivery_positions')) + ordinal end, ${dueAt}
          from wanted
          on conflict do nothing
          returning message_id
        )
        select (select count(*) from batch)::int as scanned, (select max(id) from batch) as last_id,
               (select count(*) from queued)::int as queued`);
      return toStep(rows);
    },

    /** What `queueBatch` would do. */
    async tryBatch(batch: ReplayBatch): Promise<ReplayStep> {
      const rows = await db.execute<Row>(sql`
        with ${wanted(batch)}
        select (select count(*) from batch)::int as scanned, (select max(id) from batch) as last_id,
               (select count(*) from wanted w
                where not exists (select from deliveries d
                                  where d.message_id = w.id and d.endpoint_id = ${batch.input.endpointId}
                                    and d.trigger = ${triggers.scheduled}))::int as queued`);
      return toStep(rows);
    },

    /** How many messages there are to look at. Index: messages_app_id, and nothing else. */
    async countMessages(appId: string, fromId: string, beforeId: string): Promise<number> {
      const rows = await db.execute<{ count: number }>(sql`
        select count(*)::int as count from messages
        where app_id = ${appId} and id > ${fromId} and id < ${beforeId}`);
      return rows[0]?.count ?? 0;
    },
  };
}
