import { and, eq, isNull } from "drizzle-orm";
import { type Endpoint, endpoints } from "../models/endpoints.ts";
import type { Db, Tx } from "./db.ts";

/** For operators, who belong to no org. Nothing that answers a request may use it. */
export function createOperatorRepo(db: Db | Tx) {
  return {
    /** Index: endpoints_pkey. */
    async findEndpoint(id: string): Promise<Endpoint | null> {
      const [row] = await db
        .select()
        .from(endpoints)
        .where(and(eq(endpoints.id, id), isNull(endpoints.deletedAt)));
      return row ?? null;
    },
  };
}
