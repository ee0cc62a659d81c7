import { boolean, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const applications = pgTable("applications", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  uid: text(),
  name: text().notNull(),
  throttleRate: integer("throttle_rate"),
  polled: boolean().notNull().default(false),
  metadata: jsonb().$type<Record<string, string>>().notNull().default({}),
  createdAt: time("created_at").notNull().defaultNow(),
  updatedAt: time("updated_at").notNull().defaultNow(),
  deletedAt: time("deleted_at"),
});

export type Application = typeof applications.$inferSelect;
export type NewApplication = typeof applications.$inferInsert;
