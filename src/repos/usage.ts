import { type SQL, sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** The next applications of an org, by id; `appIds` null for all. */
export type UsageBatch = {
  orgId: string;
  appIds: string[] | null;
  afterAppId: string | null;
  batchSize: number;
};

export type AppUsage = { appId: string; appUid: string | null; messageDestinations: number };
export type AppEventTypes = {
  appId: string;
  explicitlySubscribedEventTypes: string[];
  hasCatchAllEndpoint: boolean;
};

/** Index: applications_org_id. */
const nextApplications = ({ orgId, appIds, afterAppId, batchSize }: UsageBatch): SQL => sql`
  apps as materialized (
    select id, uid from applications
    where org_id = ${orgId} and deleted_at is null and id > ${afterAppId ?? ""}
      and ${appIds === null ? sql`true` : sql`id = any(${sql.param(appIds)}::text[])`}
    order by id limit ${batchSize}
  )`;

export function createUsageRepo(db: Db | Tx) {
  return {
    /**
     * How many messages were sent to how many endpoints: each pair counts once, however often it was tried.
     * Indexes: endpoints_app_any, and for each endpoint attempts_endpoint.
     */
    async countDestinations(
      batch: UsageBatch,
      range: { fromAttemptId: string; toAttemptId: string },
    ): Promise<AppUsage[]> {
      const rows = await db.execute<{ id: string; uid: string | null; destinations: number }>(sql`
        with ${nextApplications(batch)}
        select a.id, a.uid, (
          select coalesce(sum(n), 0)
          from (select id from endpoints where app_id = a.id offset 0) e
          cross join lateral (
            select count(distinct message_id) as n from attempts
            where endpoint_id = e.id and id >= ${range.fromAttemptId} and id < ${range.toAttemptId} and status <> 4
          ) t
        )::float8 as destinations
        from apps a order by a.id`);
      return rows.map((row) => ({ appId: row.id, appUid: row.uid, messageDestinations: row.destinations }));
    },

    /** What the endpoints of applications filter for. Index: endpoints_app_id. */
    async aggregateEventTypes(batch: UsageBatch): Promise<AppEventTypes[]> {
      const rows = await db.execute<{ id: string; names: string[]; catches_all: boolean }>(sql`
        with ${nextApplications(batch)}
        select a.id, t.names, t.catches_all
        from apps a
        cross join lateral (
          select coalesce(bool_or(e.event_types is null), false) as catches_all,
                 coalesce((select array_agg(distinct name order by name)
                           from (select event_types from endpoints
                                 where app_id = a.id and deleted_at is null offset 0) f, unnest(f.event_types) name),
                          '{}') as names
          from (select event_types from endpoints where app_id = a.id and deleted_at is null offset 0) e
        ) t
        order by a.id`);
      return rows.map((row) => ({
        appId: row.id,
        explicitlySubscribedEventTypes: row.names,
        hasCatchAllEndpoint: row.catches_all,
      }));
    },
  };
}
