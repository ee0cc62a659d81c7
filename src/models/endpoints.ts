import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  integer,
  json,
  jsonb,
  pgTable,
  text,
} from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** An expression over the payload; services/payload-filters.ts says which there are. */
export type PayloadFilter = Record<string, unknown>;

const jsonpath = customType<{ data: string }>({ dataType: () => "jsonpath" });

export const endpoints = pgTable("endpoints", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  uid: text(),
  url: text().notNull(),
  description: text().notNull().default(""),
  disabled: boolean().notNull().default(false),
  fifo: boolean().notNull().default(false),
  polled: boolean().notNull().default(false),
  eventTypes: text("event_types").array(),
  channels: text().array(),
  filter: json().$type<PayloadFilter>(),
  /** The filter, compiled. */
  filterPath: jsonpath("filter_path"),
  throttleRate: integer("throttle_rate"),
  deliveryTimeoutMs: integer("delivery_timeout_ms"),
  retrySchedule: doublePrecision("retry_schedule").array(),
  version: integer().notNull().default(1),
  metadata: jsonb().$type<Record<string, string>>().notNull().default({}),
  headers: jsonb().$type<Record<string, string>>().notNull().default({}),
  revision: bigint({ mode: "number" }).notNull().default(1),
  createdAt: time("created_at").notNull().defaultNow(),
  updatedAt: time("updated_at").notNull().defaultNow(),
  deletedAt: time("deleted_at"),
});

export type Endpoint = typeof endpoints.$inferSelect;
export type NewEndpoint = typeof endpoints.$inferInsert;
