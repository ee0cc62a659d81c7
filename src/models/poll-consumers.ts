import { integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

export const pollConsumers = pgTable(
  "poll_consumers",
  {
    endpointId: text("endpoint_id").notNull(),
    consumerId: text("consumer_id").notNull(),
    orgId: text("org_id").notNull(),
    position: text().notNull(),
    seeks: integer().notNull().default(0),
    updatedAt: time("updated_at").notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.consumerId] })],
);

export type PollConsumer = typeof pollConsumers.$inferSelect;
