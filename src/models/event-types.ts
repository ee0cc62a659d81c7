import { boolean, doublePrecision, json, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

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
  retrySchedule: doublePrecision("retry_schedule").array(),
  validatePayloads: boolean("validate_payloads").notNull().default(false),
  createdAt: time("created_at").notNull().defaultNow(),
  updatedAt: time("updated_at").notNull().defaultNow(),
});

export type EventType = typeof eventTypes.$inferSelect;
export type NewEventType = typeof eventTypes.$inferInsert;
