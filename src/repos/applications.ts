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

    /** The ids behind ids and uids; what names nothing is not among them. Indexes: the key, applications_org_uid. */
    async resolve(orgId: string, refs: readonly string[]): Promise<Map<string, string>> {
      const [ids, uids] = [true, false].map((isId) => refs.filter((ref) => ref.startsWith("app_") === isId));
      const rows = await db
        .select({ id: applications.id, uid: applications.uid })
        .from(applications)
        .where(
          and(
            live(orgId),
            sql`(${applications.id} = any(${sql.param(ids)}::text[]) or ${applications.uid} = any(${sql.param(uids)}::text[]))`,
          ),
        );
      const known = new Map<string, string>();
      for (const { id, uid } of rows) {
        known.set(id, id);
        if (uid !== null) known.set(uid, id);
      }
      return new Map(refs.flatMap((ref) => (known.has(ref) ? [[ref, known.get(ref) as string]] : [])));
    },

    /** Keeps it from being deleted until the transaction ends. */
    async lock(orgId: string, ref: string): Promise<Application | null> {
      const [row] = await db.select().from(applications).where(one(orgId, ref)).for("share");
      return row ?? null;
    },

    /** The same, and from here on its messages are accepted as those that are polled have to be. */
    async markPolled(orgId: string, ref: string): Promise<Application | null> {
      const [row] = await db.update(applications).set({ polled: true }).where(one(orgId, ref)).returning();
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
