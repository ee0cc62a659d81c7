import { bigint, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const auditLog = pgTable("audit_log", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  at: timestamp({ withTimezone: true, precision: 3 }).notNull().defaultNow(),
  orgId: text("org_id"),
  actor: text().notNull(),
  action: text().notNull(),
  target: text(),
  detail: jsonb().$type<Record<string, unknown>>(),
});

export type NewAuditEntry = typeof auditLog.$inferInsert;
