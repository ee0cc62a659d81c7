import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** How much an application holds, in rows. */
export type Holdings = { endpoints: number; deliveries: number; attempts: number; messages: number };

/** `lastId`: up to where it is done; null when nothing is left. */
type Step = { deleted: number; lastId: string | null };

/**
 * What an application leaves behind, deleted for good, in batches. For applications that nobody finds any more.
 * `priority >= 0` lets deliveries_claim in, which has an endpoint's deliveries together.
 */
export function createErasureRepo(db: Db | Tx) {
  const affected = async (statement: ReturnType<typeof sql>): Promise<number> =>
    (await db.execute(statement)).count;

  return {
    /** Indexes: endpoints_app_any, deliveries_claim, attempts_endpoint, messages_app_id. */
    async count(orgId: string, appId: string): Promise<Holdings> {
      const [row] = await db.execute<Holdings>(sql`
        with own as materialized (
          select id from endpoints where app_id = ${appId} and org_id = ${orgId}
        )
        select (select count(*) from own)::float8 as endpoints,
               (select count(*) from own e cross join lateral (
                  select from deliveries where endpoint_id = e.id and priority >= 0 offset 0) d)::float8 as deliveries,
               (select count(*) from own e cross join lateral (
                  select from attempts where endpoint_id = e.id offset 0) a)::float8 as attempts,
               (select count(*) from messages where app_id = ${appId})::float8 as messages`);
      return row as Holdings;
    },

    /** An endpoint of it, deleted or not. Index: endpoints_app_any. */
    async nextEndpoint(orgId: string, appId: string): Promise<string | null> {
      const [row] = await db.execute<{ id: string }>(sql`
        select id from endpoints where app_id = ${appId} and org_id = ${orgId} limit 1`);
      return row?.id ?? null;
    },

    /** Takes out what no worker has under a lease. Indexes: deliveries_claim, then the key. */
    deleteDeliveries: (orgId: string, endpointId: string, limit: number) =>
      affected(sql`
        delete from deliveries
        where endpoint_id = ${endpointId} and org_id = ${orgId} and (lease is null or due_at < now())
          and message_id = any(array(
            select message_id from deliveries
            where endpoint_id = ${endpointId} and priority >= 0 and org_id = ${orgId}
              and (lease is null or due_at < now())
            limit ${limit}))`),

    /** Index: deliveries_claim. */
    async hasDeliveries(orgId: string, endpointId: string): Promise<boolean> {
      const rows = await db.execute(sql`
        select 1 from deliveries where endpoint_id = ${endpointId} and priority >= 0 and org_id = ${orgId}
        order by endpoint_id, priority, due_at limit 1`);
      return rows.length > 0;
    },

    /** Index: attempts_endpoint. */
    deleteAttempts: (orgId: string, endpointId: string, afterId: string | null, limit: number) =>
      upTo(sql`attempts`, sql`endpoint_id = ${endpointId} and org_id = ${orgId}`, afterId, limit),

    /** Index: messages_app_id. */
    deleteMessages: (orgId: string, appId: string, afterId: string | null, limit: number) =>
      upTo(sql`messages`, sql`app_id = ${appId} and org_id = ${orgId}`, afterId, limit),

    /** Index: the key. */
    deleteEventIds: (appId: string, limit: number) =>
      affected(sql`
        delete from message_event_ids
        where app_id = ${appId} and event_id = any(array(
          select event_id from message_event_ids where app_id = ${appId} order by event_id limit ${limit}))`),

    /**
     * The endpoint itself and what is kept of it. Whoever counts its attempts at this moment ends first. Indexes: the keys,
     * endpoint_secrets_endpoint, poller_tokens_endpoint.
     */
    async deleteEndpoint(orgId: string, endpointId: string): Promise<void> {
      await db.execute(sql`select from endpoints where id = ${endpointId} and org_id = ${orgId} for update`);
      for (const table of [
        "attempt_counts",
        "endpoint_secrets",
        "endpoint_health",
        "turns",
        "poll_consumers",
        "poller_tokens",
      ]) {
        await db.execute(sql`
          delete from ${sql.identifier(table)} where endpoint_id = ${endpointId} and org_id = ${orgId}`);
      }
      await db.execute(sql`
        delete from throttles t using endpoints e where t.id = e.id and e.id = ${endpointId} and e.org_id = ${orgId}`);
      await db.execute(sql`delete from endpoints where id = ${endpointId} and org_id = ${orgId}`);
    },

    /**
     * The application itself and what is kept of it; the ends of its tokens stay. Indexes: the keys,
     * background_tasks_org. Few integrations and few tasks are any application's.
     */
    async deleteApplication(orgId: string, appId: string): Promise<void> {
      for (const table of ["integrations", "background_tasks"]) {
        await db.execute(sql`
          delete from ${sql.identifier(table)} where app_id = ${appId} and org_id = ${orgId}`);
      }
      await db.execute(sql`
        delete from throttles t using applications a where t.id = a.id and a.id = ${appId} and a.org_id = ${orgId}`);
      await db.execute(sql`delete from applications where id = ${appId} and org_id = ${orgId}`);
    },
  };

  /** Deletes the next of those rows by id. Past `afterId`, so that it doesn't walk through what it has deleted. */
  async function upTo(
    table: ReturnType<typeof sql>,
    own: ReturnType<typeof sql>,
    afterId: string | null,
    limit: number,
  ): Promise<Step> {
    const next = afterId === null ? own : sql`${own} and id > ${afterId}`;
    const [row] = await db.execute<{ deleted: number; last_id: string | null }>(sql`
      with edge as materialized (
        select min(id) as first_id, max(id) as last_id
        from (select id from ${table} where ${next} order by id limit ${limit}) batch
      ),
      gone as (
        delete from ${table}
        where ${own} and id >= (select first_id from edge) and id <= (select last_id from edge)
        returning id
      )
      select (select count(*) from gone)::int as deleted, (select last_id from edge) as last_id`);
    return { deleted: row?.deleted ?? 0, lastId: row?.last_id ?? null };
  }
}
