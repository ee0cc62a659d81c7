import { bigint, boolean, integer, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const endpoints = pgTable("endpoints", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  uid: text(),
  url: text().notNull(),
  description: text().notNull().default(""),
  disabled: boolean().notNull().default(false),
  eventTypes: text("event_types").array(),
  channels: text().array(),
  throttleRate: integer("throttle_rate"),
  version: integer().notNull().default(1),
  metadata: jsonb().$type<Record<string, string>>().notNull().default({}),
  headers: jsonb().$type<Record<string, string>>().notNull().default({}),
  revision: bigint({ mode: "number" }).notNull().default(1),
  createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  updatedAt: timestamp("updated_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  deletedAt: timestamp("deleted_at", { withTimezone: true, precision: 3 }),
});

export type Endpoint = typeof endpoints.$inferSelect;
export type NewEndpoint = typeof endpoints.$inferInsert;
