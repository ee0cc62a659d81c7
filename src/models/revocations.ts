import { bigint, pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

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
