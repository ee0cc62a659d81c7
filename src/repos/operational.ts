import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** What an event about an endpoint or a message calls them by, besides their ids. */
export type SubjectNames = {
  appUid: string | null;
  endpointUid: string | null;
  eventId: string | null;
  failSince: Date | null;
};

export function createOperationalRepo(db: Db | Tx) {
  return {
    /** Whether anybody listens in that org's operational application. Indexes: applications_org_uid, endpoints_app_id. */
    async hasEndpoints(orgId: string, appUid: string): Promise<boolean> {
      const rows = await db.execute(sql`
        select 1 from applications a join endpoints e on e.app_id = a.id and e.deleted_at is null and not e.disabled
        where a.org_id = ${orgId} and a.uid = ${appUid} and a.deleted_at is null limit 1`);
      return rows.length > 0;
    },

    /** Deleted ones keep their names. Indexes: the keys of all four. */
    async names(ids: { appId: string; endpointId: string; messageId: string | null }): Promise<SubjectNames> {
      const [row] = await db.execute<{
        app_uid: string | null;
        endpoint_uid: string | null;
        event_id: string | null;
        fail_since_ms: number | null;
      }>(sql`
        select (select uid from applications where id = ${ids.appId}) as app_uid,
               (select uid from endpoints where id = ${ids.endpointId}) as endpoint_uid,
               (select event_id from messages where id = ${ids.messageId}) as event_id,
               (select (extract(epoch from failing_since) * 1000)::float8 from endpoint_health
                where endpoint_id = ${ids.endpointId}) as fail_since_ms`);
      return {
        appUid: row?.app_uid ?? null,
        endpointUid: row?.endpoint_uid ?? null,
        eventId: row?.event_id ?? null,
        failSince: row?.fail_since_ms == null ? null : new Date(row.fail_since_ms),
      };
    },
  };
}
