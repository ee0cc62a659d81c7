import { pgTable, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const schedules = pgTable("schedules", {
  name: text().primaryKey(),
  lastRunAt: time("last_run_at").notNull(),
});
