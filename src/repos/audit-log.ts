import { auditLog, type NewAuditEntry } from "../models/audit-log.ts";
import type { Db, Tx } from "./db.ts";

export function createAuditLogRepo(db: Db | Tx) {
  return {
    async insert(entry: NewAuditEntry): Promise<void> {
      await db.insert(auditLog).values(entry);
    },
  };
}
