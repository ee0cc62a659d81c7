import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const integrations = pgTable("integrations", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  name: text().notNull(),
  featureFlags: text("feature_flags").array(),
  keyGeneration: integer("key_generation").notNull().default(1),
  keyIssuedAt: time("key_issued_at").notNull().defaultNow(),
  createdAt: time("created_at").notNull().defaultNow(),
  updatedAt: time("updated_at").notNull().defaultNow(),
  deletedAt: time("deleted_at"),
});

export type Integration = typeof integrations.$inferSelect;
export type NewIntegration = typeof integrations.$inferInsert;
