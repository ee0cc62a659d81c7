import { and, eq, isNull, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Application, applications, type NewApplication } from "../models/applications.ts";
import { type Db, keyset, named, type Tx } from "./db.ts";

export type ApplicationChanges = Partial<Pick<Application, "uid" | "name" | "throttleRate" | "metadata">>;

/** A single application is found by applications_pkey or applications_org_uid. */
export function createApplicationsRepo(db: Db | Tx) {
  const live = (orgId: string) => and(eq(applications.orgId, orgId), isNull(applications.deletedAt));
  const one = (orgId: string, ref: string) => and(live(orgId), named(ref, "app_", applications));

  return {
    async find(orgId: string, ref: string): Promise<Application | null> {
      const [row] = await db.select().from(applications).where(one(orgId, ref));
      return row ?? null;
    },

    /** Keeps it from being deleted until the transaction ends. */
    async lock(orgId: string, ref: string): Promise<Application | null> {
      const [row] = await db.select().from(applications).where(one(orgId, ref)).for("share");
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
    async update(orgId: string, ref: string, changes: ApplicationChanges): Promise<Application | null> {
      const [row] = await db
        .update(applications)
        .set({ ...changes, updatedAt: sql`now()` })
        .where(one(orgId, ref))
        .returning();
      return row ?? null;
    },

    /** Marks it deleted and frees its uid for another. Returns its id. */
    async remove(orgId: string, ref: string): Promise<string | null> {
      const [row] = await db
        .update(applications)
        .set({ deletedAt: sql`now()`, updatedAt: sql`now()` })
        .where(one(orgId, ref))
        .returning({ id: applications.id });
      return row?.id ?? null;
    },
  };
}
