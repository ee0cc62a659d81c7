import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

export type EndpointHealth = {
  failingSince: Date;
  consecutiveFailures: number;
  /** Null until the breaker opens. */
  openUntil: Date | null;
  /** Whether that is still to come, by the database's clock. */
  open: boolean;
};

/** Index: endpoint_health_pkey. */
export function createEndpointHealthRepo(db: Db | Tx) {
  return {
    /** Null while it doesn't fail. */
    async find(orgId: string, endpointId: string): Promise<EndpointHealth | null> {
      const [row] = await db.execute<{
        failing_since_ms: number;
        consecutive_failures: number;
        open_until_ms: number | null;
        open: boolean | null;
      }>(sql`
        select (extract(epoch from failing_since) * 1000)::float8 as failing_since_ms, consecutive_failures,
               (extract(epoch from open_until) * 1000)::float8 as open_until_ms, open_until > now() as open
        from endpoint_health where endpoint_id = ${endpointId} and org_id = ${orgId}`);
      if (row === undefined) return null;
      return {
        failingSince: new Date(row.failing_since_ms),
        consecutiveFailures: row.consecutive_failures,
        openUntil: row.open_until_ms === null ? null : new Date(row.open_until_ms),
        open: row.open === true,
      };
    },

    /** Forgets that it failed: its time of nothing but failure starts anew. */
    async forget(orgId: string, endpointId: string): Promise<void> {
      await db.execute(
        sql`delete from endpoint_health where endpoint_id = ${endpointId} and org_id = ${orgId}`,
      );
    },
  };
}
