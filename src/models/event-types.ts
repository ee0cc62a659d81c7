import { boolean, json, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const eventTypes = pgTable("event_types", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  name: text().notNull(),
  description: text().notNull(),
  archived: boolean().notNull().default(false),
  deprecated: boolean().notNull().default(false),
  schemas: json().$type<Record<string, unknown>>(),
  featureFlags: text("feature_flags").array(),
  groupName: text("group_name"),
  createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  updatedAt: timestamp("updated_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
});

export type EventType = typeof eventTypes.$inferSelect;
export type NewEventType = typeof eventTypes.$inferInsert;
