import { and, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Endpoint, endpoints, type NewEndpoint } from "../models/endpoints.ts";
import { type ApplicationScope, liveEndpoint, liveEndpoints } from "./application-scope.ts";
import { type Db, keyset, type Tx } from "./db.ts";

export type EndpointChanges = Partial<
  Pick<
    Endpoint,
    | "uid"
    | "url"
    | "description"
    | "disabled"
    | "fifo"
    | "eventTypes"
    | "channels"
    | "filter"
    | "filterPath"
    | "throttleRate"
    | "deliveryTimeoutMs"
    | "retrySchedule"
    | "version"
    | "metadata"
    | "headers"
  >
>;

// Workers keep what they know of an endpoint until its revision grows.
const changed = { revision: sql`${endpoints.revision} + 1`, updatedAt: sql`now()` };

/** A single endpoint is found by endpoints_pkey or endpoints_app_uid. */
export function createEndpointsRepo(db: Db | Tx) {
  return {
    async find(scope: ApplicationScope, ref: string): Promise<Endpoint | null> {
      const [row] = await db.select().from(endpoints).where(liveEndpoint(scope, ref));
      return row ?? null;
    },

    /** Index: endpoints_app_id. */
    async list(scope: ApplicationScope, request: PageRequest): Promise<Endpoint[]> {
      const { past, order } = keyset(endpoints.id, request);
      return db
        .select()
        .from(endpoints)
        .where(and(liveEndpoints(scope), past))
        .orderBy(order)
        .limit(request.limit + 1);
    },

    /** Whether any endpoint would be sent such a message, if its filter lets the payload pass. Index: endpoints_app_id. */
    async anyWants(
      orgId: string,
      appId: string,
      message: { eventType: string; channels: string[] | null },
    ): Promise<boolean> {
      const { eventType, channels } = message;
      const [row] = await db
        .select({ id: endpoints.id })
        .from(endpoints)
        .where(
          and(
            liveEndpoints({ orgId, appRef: appId, boundAppId: null }),
            eq(endpoints.disabled, false),
            sql`(${endpoints.eventTypes} is null or ${eventType} = any(${endpoints.eventTypes}))`,
            sql`(${endpoints.channels} is null or ${endpoints.channels} && ${sql.param(channels ?? [])}::text[])`,
          ),
        )
        .limit(1);
      return row !== undefined;
    },

    /** Null when the uid is taken. */
    async insert(row: NewEndpoint): Promise<Endpoint | null> {
      const [inserted] = await db.insert(endpoints).values(row).onConflictDoNothing().returning();
      return inserted ?? null;
    },

    /** A taken uid throws a unique violation (23505). */
    async update(
      scope: ApplicationScope,
      ref: string,
      changes: EndpointChanges,
    ): Promise<(Endpoint & { wasDisabled: boolean }) | null> {
      const [row] = await db
        .update(endpoints)
        .set({ ...changes, ...changed })
        .where(liveEndpoint(scope, ref))
        // A query inside a statement sees the rows as they were before it.
        .returning({
          ...getTableColumns(endpoints),
          wasDisabled: sql<boolean>`(select e.disabled from endpoints e where e.id = ${endpoints}.id)`,
        });
      return row ?? null;
    },

    /** Removes headers by their lower-cased names, then adds others, in one step whoever else does so. */
    async mergeHeaders(
      scope: ApplicationScope,
      ref: string,
      merge: { remove: string[]; add: Record<string, string> },
    ): Promise<boolean> {
      const kept = sql`(select coalesce(jsonb_object_agg(name, value), '{}') from jsonb_each(${endpoints.headers}) as kept(name, value)
                         where lower(name) <> all(${sql.param(merge.remove)}::text[]))`;
      const rows = await db
        .update(endpoints)
        .set({ headers: sql`${kept} || ${JSON.stringify(merge.add)}::jsonb`, ...changed })
        .where(liveEndpoint(scope, ref))
        .returning({ id: endpoints.id });
      return rows.length > 0;
    },

    /** Keeps it from being changed or deleted until the transaction ends. */
    async lock(scope: ApplicationScope, ref: string): Promise<Endpoint | null> {
      const [row] = await db.select().from(endpoints).where(liveEndpoint(scope, ref)).for("no key update");
      return row ?? null;
    },

    /** Makes workers read it anew, and holds its row until the transaction ends. Returns its id. */
    async touch(scope: ApplicationScope, ref: string): Promise<string | null> {
      const [row] = await db
        .update(endpoints)
        .set(changed)
        .where(liveEndpoint(scope, ref))
        .returning({ id: endpoints.id });
      return row?.id ?? null;
    },

    /** Marks it deleted and frees its uid for another. */
    async remove(scope: ApplicationScope, ref: string): Promise<Pick<Endpoint, "id" | "appId"> | null> {
      const [row] = await db
        .update(endpoints)
        .set({ deletedAt: sql`now()`, ...changed })
        .where(liveEndpoint(scope, ref))
        .returning({ id: endpoints.id, appId: endpoints.appId });
      return row ?? null;
    },

    /** Index: endpoints_app_id. */
    async removeAll(orgId: string, appId: string): Promise<void> {
      await db
        .update(endpoints)
        .set({ deletedAt: sql`now()`, ...changed })
        .where(and(eq(endpoints.orgId, orgId), eq(endpoints.appId, appId), isNull(endpoints.deletedAt)));
    },
  };
}
