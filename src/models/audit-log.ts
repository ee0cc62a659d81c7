import { bigint, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const auditLog = pgTable("audit_log", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  at: time("at").notNull().defaultNow(),
  orgId: text("org_id"),
  actor: text().notNull(),
  action: text().notNull(),
  target: text(),
  detail: jsonb().$type<Record<string, unknown>>(),
});

export type NewAuditEntry = typeof auditLog.$inferInsert;
