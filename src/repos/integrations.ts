import { and, eq, isNull, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Integration, integrations, type NewIntegration } from "../models/integrations.ts";
import { type Db, keyset, type Tx } from "./db.ts";

export type IntegrationScope = { orgId: string; appId: string };

/** A single integration is found by its key. */
export function createIntegrationsRepo(db: Db | Tx) {
  const live = ({ orgId, appId }: IntegrationScope) =>
    and(eq(integrations.orgId, orgId), eq(integrations.appId, appId), isNull(integrations.deletedAt));
  const one = (scope: IntegrationScope, id: string) => and(live(scope), eq(integrations.id, id));
  // Every process forgets what it knows of a key when this moves.
  const changed = { updatedAt: sql`clock_timestamp()` };

  return {
    async find(scope: IntegrationScope, id: string): Promise<Integration | null> {
      const [row] = await db.select().from(integrations).where(one(scope, id));
      return row ?? null;
    },

    /** Index: integrations_app_id. */
    async list(scope: IntegrationScope, request: PageRequest): Promise<Integration[]> {
      const { past, order } = keyset(integrations.id, request);
      return db
        .select()
        .from(integrations)
        .where(and(live(scope), past))
        .orderBy(order)
        .limit(request.limit + 1);
    },

    async insert(row: NewIntegration): Promise<Integration> {
      const [inserted] = await db.insert(integrations).values(row).returning();
      return inserted as Integration;
    },

    async update(
      scope: IntegrationScope,
      id: string,
      changes: Pick<Integration, "name" | "featureFlags">,
    ): Promise<Integration | null> {
      const [row] = await db
        .update(integrations)
        .set({ ...changes, ...changed })
        .where(one(scope, id))
        .returning();
      return row ?? null;
    },

    /** The key before is good no longer. */
    async rotateKey(scope: IntegrationScope, id: string): Promise<Integration | null> {
      const [row] = await db
        .update(integrations)
        .set({ keyGeneration: sql`${integrations.keyGeneration} + 1`, keyIssuedAt: sql`now()`, ...changed })
        .where(one(scope, id))
        .returning();
      return row ?? null;
    },

    async remove(scope: IntegrationScope, id: string): Promise<boolean> {
      const rows = await db
        .update(integrations)
        .set({ deletedAt: sql`now()`, ...changed })
        .where(one(scope, id))
        .returning({ id: integrations.id });
      return rows.length > 0;
    },
  };
}
