import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** Index: endpoint_health_pkey. */
export function createEndpointHealthRepo(db: Db | Tx) {
  return {
    /** Forgets that it failed: its time of nothing but failure starts anew. */
    async forget(orgId: string, endpointId: string): Promise<void> {
      await db.execute(
        sql`delete from endpoint_health where endpoint_id = ${endpointId} and org_id = ${orgId}`,
      );
    },
  };
}
