import { and, eq, type SQL, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import {
  type BackgroundTask,
  type BackgroundTaskKind,
  type BackgroundTaskStatus,
  backgroundTasks,
  type NewBackgroundTask,
  type PurgeTask,
  purgeKind,
  type ReplayInput,
  type ReplayTask,
  type TaskKind,
  type UsageTask,
  usageKinds,
} from "../models/background-tasks.ts";
import { type Db, keyset, type Tx } from "./db.ts";

/** Where workers hear that there is a new task. */
export const tasksChannel = "posthorn_tasks";

export type TaskFilter = {
  status: BackgroundTaskStatus[] | null;
  kinds: TaskKind[] | null;
};

const inSeconds = (seconds: number) => sql`now() + make_interval(secs => ${seconds})`;

/** A single task is found by its key, those that run by background_tasks_open. */
export function createBackgroundTasksRepo(db: Db | Tx) {
  const own = (orgId: string, id: string) =>
    and(eq(backgroundTasks.orgId, orgId), eq(backgroundTasks.id, id));
  const running = eq(backgroundTasks.status, sql`'running'`);

  const claimWhere = async <T extends BackgroundTask>(
    wanted: SQL,
    lease: string,
    leaseSeconds: number,
  ): Promise<T | null> => {
    const [row] = await db
      .update(backgroundTasks)
      .set({ lease, leasedUntil: inSeconds(leaseSeconds), updatedAt: sql`now()` })
      .where(
        eq(
          backgroundTasks.id,
          sql`(select id from background_tasks
               where status = 'running' and ${wanted} and (leased_until is null or leased_until < now())
               order by updated_at limit 1 for update skip locked)`,
        ),
      )
      .returning();
    return (row as T | undefined) ?? null;
  };

  return {
    async insert(row: NewBackgroundTask): Promise<BackgroundTask> {
      const [inserted] = await db.insert(backgroundTasks).values(row).returning();
      return inserted as BackgroundTask;
    },

    /** Tells the workers that there is a new task, once the transaction commits. */
    async announce(): Promise<void> {
      await db.execute(sql`select pg_notify(${tasksChannel}, '')`);
    },

    async find(orgId: string, id: string): Promise<BackgroundTask | null> {
      const [row] = await db.select().from(backgroundTasks).where(own(orgId, id));
      return (row as BackgroundTask | undefined) ?? null;
    },

    /** Holds its row until the transaction ends. */
    async lock(orgId: string, id: string): Promise<BackgroundTask | null> {
      const [row] = await db.select().from(backgroundTasks).where(own(orgId, id)).for("update");
      return (row as BackgroundTask | undefined) ?? null;
    },

    /** Index: background_tasks_org. */
    async list(orgId: string, request: PageRequest, filter: TaskFilter): Promise<BackgroundTask[]> {
      const { past, order } = keyset(backgroundTasks.id, request);
      const oneOf = (column: typeof backgroundTasks.kind | typeof backgroundTasks.status, values: string[]) =>
        sql`${column} = any(${sql.param(values)}::text[])`;
      const rows = await db
        .select()
        .from(backgroundTasks)
        .where(
          and(
            eq(backgroundTasks.orgId, orgId),
            past,
            filter.status === null ? undefined : oneOf(backgroundTasks.status, filter.status),
            filter.kinds === null ? undefined : oneOf(backgroundTasks.kind, filter.kinds),
          ),
        )
        .orderBy(order)
        .limit(request.limit + 1);
      return rows as BackgroundTask[];
    },

    /** The one of that kind and with such an input that has not come to its end. */
    async findRunning(
      orgId: string,
      appId: string,
      kind: BackgroundTaskKind,
      input: Partial<ReplayInput>,
    ): Promise<ReplayTask | null> {
      const [row] = await db
        .select()
        .from(backgroundTasks)
        .where(
          and(
            running,
            eq(backgroundTasks.orgId, orgId),
            eq(backgroundTasks.appId, appId),
            eq(backgroundTasks.kind, kind),
            sql`${backgroundTasks.input} @> ${JSON.stringify(input)}::jsonb`,
          ),
        )
        .orderBy(backgroundTasks.id)
        .limit(1);
      return (row as ReplayTask | undefined) ?? null;
    },

    /** Takes the lease of a replay that nobody runs: the one that has waited longest. `endpoint.backfill` is left to its script. */
    claim: (lease: string, leaseSeconds: number): Promise<ReplayTask | null> =>
      claimWhere(
        sql`kind <> all(${sql.param(["endpoint.backfill", ...usageKinds, purgeKind])}::text[])`,
        lease,
        leaseSeconds,
      ),

    /** The same of those that count. */
    claimUsage: (lease: string, leaseSeconds: number): Promise<UsageTask | null> =>
      claimWhere(sql`kind = any(${sql.param([...usageKinds])}::text[])`, lease, leaseSeconds),

    /** The same of those that expunge. */
    claimPurge: (lease: string, leaseSeconds: number): Promise<PurgeTask | null> =>
      claimWhere(sql`kind = ${purgeKind}`, lease, leaseSeconds),

    /** Takes the lease of that task; false when another holds it. */
    async lease(orgId: string, id: string, lease: string, leaseSeconds: number): Promise<boolean> {
      const free = sql`(${backgroundTasks.leasedUntil} is null or ${backgroundTasks.leasedUntil} < now())`;
      const rows = await db
        .update(backgroundTasks)
        .set({ lease, leasedUntil: inSeconds(leaseSeconds) })
        .where(and(own(orgId, id), running, free))
        .returning({ id: backgroundTasks.id });
      return rows.length > 0;
    },

    async release(id: string, lease: string): Promise<void> {
      await db
        .update(backgroundTasks)
        .set({ lease: null, leasedUntil: null })
        .where(and(eq(backgroundTasks.id, id), eq(backgroundTasks.lease, lease)));
    },

    /** Moves it on after a batch, and its holder's lease with it. */
    async advance(
      id: string,
      step: { cursor: string | null; scanned: number; queued: number; leaseSeconds: number },
    ): Promise<void> {
      await db
        .update(backgroundTasks)
        .set({
          ...(step.cursor !== null && { cursor: step.cursor }),
          scanned: sql`${backgroundTasks.scanned} + ${step.scanned}`,
          queued: sql`${backgroundTasks.queued} + ${step.queued}`,
          leasedUntil: sql`case when ${backgroundTasks.lease} is not null then ${inSeconds(step.leaseSeconds)} end`,
          updatedAt: sql`now()`,
        })
        .where(eq(backgroundTasks.id, id));
    },

    /** Adds to what it has found out. */
    async addOutput(id: string, found: unknown[]): Promise<void> {
      await db
        .update(backgroundTasks)
        .set({
          output: sql`coalesce(${backgroundTasks.output}, '[]'::jsonb) || ${JSON.stringify(found)}::jsonb`,
        })
        .where(eq(backgroundTasks.id, id));
    },

    /** Ends it, unless it has ended already. */
    async end(
      orgId: string,
      id: string,
      status: "finished" | "failed" | "canceled",
      error: string | null = null,
    ): Promise<BackgroundTask | null> {
      const [row] = await db
        .update(backgroundTasks)
        .set({ status, error, lease: null, leasedUntil: null, updatedAt: sql`now()` })
        .where(and(own(orgId, id), running))
        .returning();
      return (row as BackgroundTask | undefined) ?? null;
    },
  };
}
