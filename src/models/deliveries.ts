import { bigint, pgTable, primaryKey, smallint, text, uuid } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** Who asked for a delivery: the message itself (with retries) or a person (a single attempt). */
export const triggers = { scheduled: 0, manual: 1 } as const;

/** Which of an endpoint's due deliveries go first; those in line go by their position, once for good. */
export const priorities = { fresh: 0, retry: 1, bulk: 2, inLine: 3 } as const;

export const deliveries = pgTable(
  "deliveries",
  {
    messageId: text("message_id").notNull(),
    endpointId: text("endpoint_id").notNull(),
    trigger: smallint().notNull().default(triggers.scheduled),
    orgId: text("org_id").notNull(),
    appId: text("app_id").notNull(),
    priority: smallint().notNull().default(priorities.fresh),
    attempt: smallint().notNull().default(0),
    dueAt: time("due_at").notNull(),
    lease: uuid(),
    position: bigint({ mode: "number" }),
  },
  (table) => [primaryKey({ columns: [table.messageId, table.endpointId, table.trigger] })],
);
