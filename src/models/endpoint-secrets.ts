import { bigint, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const endpointSecrets = pgTable("endpoint_secrets", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  orgId: text("org_id").notNull(),
  endpointId: text("endpoint_id").notNull(),
  secret: text().notNull(),
  createdAt: timestamp("created_at", { withTimezone: true, precision: 3 }).notNull().defaultNow(),
  expiresAt: timestamp("expires_at", { withTimezone: true, precision: 3 }),
});

export type EndpointSecret = typeof endpointSecrets.$inferSelect;
