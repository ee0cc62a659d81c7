import { pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

export const turns = pgTable("turns", {
  endpointId: text("endpoint_id").primaryKey(),
  orgId: text("org_id").notNull(),
  lease: uuid(),
  heldUntil: timestamp("held_until", { withTimezone: true }).notNull().defaultNow(),
});
