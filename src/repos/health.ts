import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

export function createHealthRepo(db: Db | Tx) {
  return {
    /** Answers when the database does. */
    async ping(): Promise<void> {
      await db.execute(sql`select 1`);
    },
  };
}
