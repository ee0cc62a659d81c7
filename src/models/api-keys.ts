import { pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** What a key may do: read (GET and HEAD), write (the rest of a tenant's data), admin (keys, access, environment). */
export const apiKeyScopes = ["read", "write", "admin"] as const;
export type ApiKeyScope = (typeof apiKeyScopes)[number];

export const apiKeys = pgTable("api_keys", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  name: text().notNull(),
  scopes: text().array().$type<ApiKeyScope[]>().notNull(),
  tokenHash: text("token_hash").notNull(),
  hint: text().notNull(),
  createdAt: time("created_at").notNull().defaultNow(),
  expiresAt: time("expires_at"),
  revokedAt: time("revoked_at"),
  lastUsedAt: time("last_used_at"),
  changedAt: time("changed_at").notNull().defaultNow(),
});

export type ApiKey = typeof apiKeys.$inferSelect;
export type NewApiKey = typeof apiKeys.$inferInsert;
