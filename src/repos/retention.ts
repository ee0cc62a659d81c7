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
  };
}
