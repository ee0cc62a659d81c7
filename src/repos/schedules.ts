import { eq, lte, sql } from "drizzle-orm";
import { schedules } from "../models/schedules.ts";
import type { Db, Tx } from "./db.ts";

/** Index of all: schedules_pkey. */
export function createSchedulesRepo(db: Db | Tx) {
  return {
    /** Takes the run that is due, if one is: only one of all that ask gets it. */
    async take(name: string, everySeconds: number): Promise<boolean> {
      const rows = await db
        .insert(schedules)
        .values({ name, lastRunAt: sql`now()` })
        .onConflictDoUpdate({
          target: schedules.name,
          set: { lastRunAt: sql`now()` },
          setWhere: lte(schedules.lastRunAt, sql`now() - make_interval(secs => ${everySeconds})`),
        })
        .returning({ name: schedules.name });
      return rows.length > 0;
    },

    /** Makes a run that failed due again. */
    async giveBack(name: string): Promise<void> {
      await db.update(schedules).set({ lastRunAt: sql`'-infinity'` }).where(eq(schedules.name, name));
    },
  };
}
