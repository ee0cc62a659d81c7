import { and, eq, isNull, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Application, applications, type NewApplication } from "../models/applications.ts";
import { type Db, keyset, type Tx } from "./db.ts";

export type ApplicationChanges = Partial<Pick<Application, "uid" | "name" | "throttleRate" | "metadata">>;

export function createApplicationsRepo(db: Db | Tx) {
  const live = (orgId: string) => and(eq(applications.orgId, orgId), isNull(applications.deletedAt));

  return {
    /** `ref` is an id or a uid; the two can't be confused, since no uid may start with `app_`. */
    async find(orgId: string, ref: string): Promise<Application | null> {
      const by = ref.startsWith("app_") ? eq(applications.id, ref) : eq(applications.uid, ref);
      const [row] = await db
        .select()
        .from(applications)
        .where(and(live(orgId), by));
      return row ?? null;
    },

    /** Index: applications_org_id. */
    async list(orgId: string, request: PageRequest): Promise<Application[]> {
      const { past, order } = keyset(applications.id, request);
      return db
        .select()
        .from(applications)
        .where(and(live(orgId), past))
        .orderBy(order)
        .limit(request.limit + 1);
    },

    /** Null when the uid is taken. */
    async insert(row: NewApplication): Promise<Application | null> {
      const [inserted] = await db.insert(applications).values(row).onConflictDoNothing().returning();
      return inserted ?? null;
    },

    /** A taken uid throws a unique violation (23505). */
    async update(orgId: string, id: string, changes: ApplicationChanges): Promise<Application | null> {
      const [row] = await db
        .update(applications)
        .set({ ...changes, updatedAt: sql`now()` })
        .where(and(live(orgId), eq(applications.id, id)))
        .returning();
      return row ?? null;
    },

    /** Marks it deleted and frees its uid for another. */
    async remove(orgId: string, id: string): Promise<boolean> {
      const rows = await db
        .update(applications)
        .set({ deletedAt: sql`now()`, updatedAt: sql`now()` })
        .where(and(live(orgId), eq(applications.id, id)))
        .returning({ id: applications.id });
      return rows.length > 0;
    },
  };
}
