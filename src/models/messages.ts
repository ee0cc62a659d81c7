import { pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const messages = pgTable("messages", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  eventType: text("event_type").notNull(),
  eventId: text("event_id"),
  channels: text().array(),
  tags: text().array(),
  deliverAt: time("deliver_at"),
  payload: text(),
  contentType: text("content_type"),
  payloadExpiresAt: time("payload_expires_at").notNull(),
});

export type Message = typeof messages.$inferSelect;
