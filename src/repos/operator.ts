import { and, asc, count, eq, gt, isNull, sql } from "drizzle-orm";
import { type Application, applications } from "../models/applications.ts";
import { type EndpointSecret, endpointSecrets } from "../models/endpoint-secrets.ts";
import { type Endpoint, endpoints } from "../models/endpoints.ts";
import type { Db, Tx } from "./db.ts";

/** For operators, who belong to no org. Nothing that answers a request may use it. */
export function createOperatorRepo(db: Db | Tx) {
  return {
    /** Index: endpoints_pkey. */
    async findEndpoint(id: string): Promise<Endpoint | null> {
      const [row] = await db
        .select()
        .from(endpoints)
        .where(and(eq(endpoints.id, id), isNull(endpoints.deletedAt)));
      return row ?? null;
    },

    /** Deleted ones too. Index: applications_pkey. */
    async findApplication(id: string): Promise<Application | null> {
      const [row] = await db.select().from(applications).where(eq(applications.id, id));
      return row ?? null;
    },

    async countSecrets(): Promise<number> {
      const [row] = await db.select({ secrets: count() }).from(endpointSecrets);
      return row?.secrets ?? 0;
    },

    /** The next of all secrets, those that have expired too. Index: endpoint_secrets_pkey. */
    async listSecrets(
      afterId: number,
      limit: number,
    ): Promise<Pick<EndpointSecret, "id" | "endpointId" | "secret">[]> {
      return db
        .select({
          id: endpointSecrets.id,
          endpointId: endpointSecrets.endpointId,
          secret: endpointSecrets.secret,
        })
        .from(endpointSecrets)
        .where(gt(endpointSecrets.id, afterId))
        .orderBy(asc(endpointSecrets.id))
        .limit(limit);
    },

    /** Writes secrets in another form, where nobody else has meanwhile. Returns how many. Index: endpoint_secrets_pkey. */
    async replaceSecrets(changes: readonly { id: number; from: string; to: string }[]): Promise<number> {
      const column = (key: "id" | "from" | "to") => sql.param(changes.map((change) => String(change[key])));
      const result = await db.execute(sql`
        update endpoint_secrets s set secret = c.after
        from unnest(${column("id")}::text[], ${column("from")}::text[], ${column("to")}::text[])
          as c(id, before, after)
        where s.id = c.id::bigint and s.secret = c.before`);
      return result.count;
    },
  };
}
