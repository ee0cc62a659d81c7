import { pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const pollerTokens = pgTable("poller_tokens", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  endpointId: text("endpoint_id").notNull(),
  expiresAt: time("expires_at"),
  createdAt: time("created_at").notNull().defaultNow(),
  updatedAt: time("updated_at").notNull().defaultNow(),
});

export type PollerToken = typeof pollerTokens.$inferSelect;
