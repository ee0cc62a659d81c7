import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** What is past its time, in batches; each says how many rows it found. */
export function createRetentionRepo(db: Db | Tx) {
  const affected = async (statement: ReturnType<typeof sql>): Promise<number> =>
    (await db.execute(statement)).count;

  return {
    /** Indexes: messages_payload_expiry, which what is expunged leaves; then the key. */
    expungePayloads: (limit: number) =>
      affected(sql`
        update messages set payload = null
        where id = any(array(
          select id from messages where payload is not null and payload_expires_at < now()
          order by payload_expires_at limit ${limit}))
          and payload is not null`),

    /** The same by the age of messages, which it walks by their key; those that are to be sent later are left alone. */
    async expungeNext(batch: {
      afterId: string;
      beforeId: string;
      limit: number;
    }): Promise<{ expunged: number; lastId: string | null }> {
      const [row] = await db.execute<{ expunged: number; last_id: string | null }>(sql`
        with batch as materialized (
          select id, payload is not null and (deliver_at is null or deliver_at < now()) as filled from messages
          where id > ${batch.afterId} and id < ${batch.beforeId}
          order by id limit ${batch.limit}
        ),
        expunged as (
          update messages set payload = null
          where id = any(array(select id from batch where filled))
            and id >= (select min(id) from batch) and id <= (select max(id) from batch) and payload is not null
          returning id
        )
        select (select count(*) from expunged)::int as expunged, (select max(id) from batch) as last_id`);
      return { expunged: row?.expunged ?? 0, lastId: row?.last_id ?? null };
    },

    /** What `expungePayloads` would do. Index: messages_payload_expiry. */
    async countExpiredPayloads(): Promise<number> {
      const [row] = await db.execute<{ count: number }>(sql`
        select count(*)::float8 as count from messages where payload is not null and payload_expires_at < now()`);
      return row?.count ?? 0;
    },

    /** What `expungeNext` would do besides, from one id to another. No index: it reads those weeks once. */
    async countPayloads(afterId: string, beforeId: string): Promise<number> {
      const [row] = await db.execute<{ count: number }>(sql`
        select count(*)::float8 as count from messages
        where id > ${afterId} and id < ${beforeId} and payload is not null and payload_expires_at >= now()
          and (deliver_at is null or deliver_at < now())`);
      return row?.count ?? 0;
    },

    /** Index: message_event_ids_message. */
    async countEventIds(beforeMessageId: string): Promise<number> {
      const [row] = await db.execute<{ count: number }>(sql`
        select count(*)::float8 as count from message_event_ids where message_id < ${beforeMessageId}`);
      return row?.count ?? 0;
    },

    /** Index: idempotency_keys_created, then the key. */
    deleteIdempotencyKeys: (olderThanSeconds: number, limit: number) =>
      affected(sql`
        delete from idempotency_keys
        where key = any(array(
          select key from idempotency_keys where created_at < now() - make_interval(secs => ${olderThanSeconds})
          order by created_at limit ${limit} for update skip locked))`),

    /** Index: message_event_ids_message. */
    deleteEventIds: (beforeMessageId: string, limit: number) =>
      affected(sql`
        delete from message_event_ids
        where message_id = any(array(
          select message_id from message_event_ids where message_id < ${beforeMessageId}
          order by message_id limit ${limit} for update skip locked))`),

    /** Index: endpoint_secrets_expiry, then the key. */
    deleteExpiredSecrets: (limit: number) =>
      affected(sql`
        delete from endpoint_secrets
        where id = any(array(
          select id from endpoint_secrets where expires_at < now()
          order by expires_at limit ${limit} for update skip locked))`),

    /** Index: revoked_tokens_expiry, then the key. */
    deleteRevokedTokens: (limit: number) =>
      affected(sql`
        delete from revoked_tokens
        where token_hash = any(array(
          select token_hash from revoked_tokens where expires_at < now()
          order by expires_at limit ${limit} for update skip locked))`),

    /** Index: session_ends_created, then the key. */
    deleteSessionEnds: (olderThanDays: number, limit: number) =>
      affected(sql`
        delete from session_ends
        where id = any(array(
          select id from session_ends
          where created_at < now() - make_interval(days => ${olderThanDays}) and session_id <> ''
          order by created_at limit ${limit} for update skip locked))`),

    /** Index: background_tasks_pkey. */
    deleteEndedTasks: (beforeId: string, limit: number) =>
      affected(sql`
        delete from background_tasks
        where id = any(array(
          select id from background_tasks where id < ${beforeId} and status <> 'running'
          order by id limit ${limit} for update skip locked))`),

    /** Looks at the oldest only. Index: audit_log_pkey. */
    deleteAuditEntries: (olderThanDays: number, limit: number) =>
      affected(sql`
        delete from audit_log
        where id = any(array(
          select id from (select id, at from audit_log order by id limit ${limit}) oldest
          where at < now() - make_interval(days => ${olderThanDays})))`),
  };
}
