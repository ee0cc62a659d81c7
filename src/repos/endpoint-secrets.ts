import { and, eq, isNull, lte, sql } from "drizzle-orm";
import { type EndpointSecret, endpointSecrets } from "../models/endpoint-secrets.ts";
import { endpoints } from "../models/endpoints.ts";
import { type ApplicationScope, liveEndpoint } from "./application-scope.ts";
import type { Db, Tx } from "./db.ts";

/** Index of all: endpoint_secrets_endpoint. */
export function createEndpointSecretsRepo(db: Db | Tx) {
  const of = (orgId: string, endpointId: string) =>
    and(eq(endpointSecrets.orgId, orgId), eq(endpointSecrets.endpointId, endpointId));

  return {
    /** The one that new receivers are given. */
    async findCurrent(scope: ApplicationScope, endpointRef: string): Promise<string | null> {
      const [row] = await db
        .select({ secret: endpointSecrets.secret })
        .from(endpointSecrets)
        .innerJoin(endpoints, eq(endpoints.id, endpointSecrets.endpointId))
        .where(and(liveEndpoint(scope, endpointRef), isNull(endpointSecrets.expiresAt)));
      return row?.secret ?? null;
    },

    /** Removes what has expired and returns the rest. */
    async prune(orgId: string, endpointId: string): Promise<EndpointSecret[]> {
      await db
        .delete(endpointSecrets)
        .where(and(of(orgId, endpointId), lte(endpointSecrets.expiresAt, sql`now()`)));
      return db.select().from(endpointSecrets).where(of(orgId, endpointId)).orderBy(endpointSecrets.id);
    },

    /** The current one signs for so much longer; 0 ends it at once. */
    async expireCurrent(orgId: string, endpointId: string, graceSeconds: number): Promise<void> {
      await db
        .update(endpointSecrets)
        .set({ expiresAt: sql`now() + make_interval(secs => ${graceSeconds})` })
        .where(and(of(orgId, endpointId), isNull(endpointSecrets.expiresAt)));
    },

    /** @param secret as the sealer made it */
    async insert(orgId: string, endpointId: string, secret: string): Promise<void> {
      await db.insert(endpointSecrets).values({ orgId, endpointId, secret });
    },
  };
}
