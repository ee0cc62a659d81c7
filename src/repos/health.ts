import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

export function createHealthRepo(db: Db | Tx) {
  return {
    /** Answers when the database has written something. Index: the key. */
    async write(): Promise<void> {
      await db.execute(sql`
        insert into health_checks (checked_at) values (now())
        on conflict (one) do update set checked_at = excluded.checked_at`);
    },
  };
}
