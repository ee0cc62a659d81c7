import type { Sql } from "postgres";

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createWorkersRepo(sql: Sql) {
  return {
    /**
     * Says that the worker lives.
     * @returns workers that have not said so for `deadAfterSeconds`, now forgotten; with null, none
     */
    async beat(id: string, deadAfterSeconds: number | null): Promise<string[]> {
      const rows = await sql<{ id: string }[]>`
        with alive as (
          insert into workers (id, seen_at) values (${id}, now())
          on conflict (id) do update set seen_at = excluded.seen_at
        )
        delete from workers where id <> ${id} and seen_at < now() - make_interval(secs => ${deadAfterSeconds})
        returning id`;
      return rows.map((row) => row.id);
    },

    /** Forgets every worker but this one. */
    async forgetOthers(id: string): Promise<void> {
      await sql`delete from workers where id <> ${id}`;
    },

    async forget(id: string): Promise<void> {
      await sql`delete from workers where id = ${id}`;
    },
  };
}

export type WorkersRepo = ReturnType<typeof createWorkersRepo>;
