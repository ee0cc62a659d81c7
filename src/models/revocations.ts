import { bigint, pgTable, text, timestamp } from "drizzle-orm/pg-core";

const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const revokedTokens = pgTable("revoked_tokens", {
  tokenHash: text("token_hash").primaryKey(),
  orgId: text("org_id").notNull(),
  revokedAt: time("revoked_at").notNull().defaultNow(),
  expiresAt: time("expires_at"),
});

export const sessionEnds = pgTable("session_ends", {
  id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  sessionId: text("session_id").notNull().default(""),
  issuedUntil: time("issued_until").notNull(),
  endsAt: time("ends_at").notNull(),
  createdAt: time("created_at").notNull().defaultNow(),
});
