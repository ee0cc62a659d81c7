import { pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const messages = pgTable("messages", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  eventType: text("event_type").notNull(),
  eventId: text("event_id"),
  channels: text().array(),
  payload: text(),
  contentType: text("content_type"),
  payloadExpiresAt: timestamp("payload_expires_at", { withTimezone: true, precision: 3 }).notNull(),
});

export type Message = typeof messages.$inferSelect;
