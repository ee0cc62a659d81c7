import { pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const schedules = pgTable("schedules", {
  name: text().primaryKey(),
  lastRunAt: timestamp("last_run_at", { withTimezone: true, precision: 3 }).notNull(),
});
