import { bigint, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const endpointSecrets = pgTable("endpoint_secrets", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  orgId: text("org_id").notNull(),
  endpointId: text("endpoint_id").notNull(),
  secret: text().notNull(),
  createdAt: time("created_at").notNull().defaultNow(),
  expiresAt: time("expires_at"),
});

export type EndpointSecret = typeof endpointSecrets.$inferSelect;
