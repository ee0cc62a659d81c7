import { integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const applications = pgTable("applications", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  uid: text(),
  name: text().notNull(),
  throttleRate: integer("throttle_rate"),
  metadata: jsonb().$type<Record<string, string>>().notNull().default({}),
  createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  updatedAt: timestamp("updated_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  deletedAt: timestamp("deleted_at", { withTimezone: true, precision: 3 }),
});

export type Application = typeof applications.$inferSelect;
export type NewApplication = typeof applications.$inferInsert;
