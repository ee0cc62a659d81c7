import { integer, pgTable, primaryKey, smallint, text } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** What came of an attempt; `canceled` stands for one that was not to be made any more. */
export const attemptStatus = { success: 0, fail: 2, canceled: 4 } as const;
export type AttemptStatus = (typeof attemptStatus)[keyof typeof attemptStatus];

export const attempts = pgTable(
  "attempts",
  {
    id: text().notNull(),
    orgId: text("org_id").notNull(),
    appId: text("app_id").notNull(),
    messageId: text("message_id").notNull(),
    endpointId: text("endpoint_id").notNull(),
    eventType: text("event_type").notNull(),
    channels: text().array(),
    tags: text().array(),
    trigger: smallint().notNull(),
    attempt: smallint().notNull(),
    status: smallint().notNull(),
    responseStatusCode: smallint("response_status_code").notNull(),
    response: text(),
    durationMs: integer("duration_ms").notNull(),
    url: text().notNull(),
    nextAt: time("next_at"),
    sentHeaders: text("sent_headers"),
    responseHeaders: text("response_headers"),
  },
  (table) => [primaryKey({ columns: [table.messageId, table.id] })],
);

export type Attempt = typeof attempts.$inferSelect;
export type NewAttempt = typeof attempts.$inferInsert;
