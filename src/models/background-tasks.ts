import { bigint, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** `endpoint.backfill` is run by the operator's script that made it, the others by workers. */
export type BackgroundTaskKind =
  | "endpoint.recover"
  | "endpoint.replay"
  | "endpoint.bulk-replay"
  | "endpoint.backfill";
/** What these find out stands in `output`; their `appId` is empty, since they are an org's. */
export const usageKinds = ["application.stats", "event-type.aggregate"] as const;
export type UsageKind = (typeof usageKinds)[number];
/** Expunges the payloads of an application. */
export const purgeKind = "application.purge_content";
export type TaskKind = BackgroundTaskKind | UsageKind | typeof purgeKind;
export type BackgroundTaskStatus = "running" | "finished" | "failed" | "canceled";

/** Which messages an endpoint is sent anew. Times are RFC 3339. */
export type ReplayInput = {
  endpointId: string;
  since: string;
  until: string;
  only: "missing" | "failed" | "succeeded" | "all";
  eventTypes: string[] | null;
  channel: string | null;
  /** Not in tasks that are older than tags. */
  tag?: string | null;
  /** 0, 100, … 500: only what got such an answer once. */
  statusCodeClass: number | null;
  /** How many become due in a second at most. */
  rate: number | null;
  /** A backfill's arguments as they were given: the same again go on with it. */
  asked: string | null;
};

/** Of which applications (null: all), and for counts from when to when. Times are RFC 3339. */
export type UsageInput = { since: string | null; until: string | null; appIds: string[] | null };

/** Messages from before that time, RFC 3339. */
export type PurgeInput = { until: string };

export const backgroundTasks = pgTable("background_tasks", {
  id: text().primaryKey(),
  orgId: text("org_id").notNull(),
  appId: text("app_id").notNull(),
  kind: text().$type<TaskKind>().notNull(),
  status: text().$type<BackgroundTaskStatus>().notNull(),
  input: jsonb().$type<ReplayInput | UsageInput | PurgeInput>().notNull(),
  cursor: text(),
  scanned: bigint({ mode: "number" }).notNull().default(0),
  queued: bigint({ mode: "number" }).notNull().default(0),
  output: jsonb().$type<unknown[]>(),
  error: text(),
  lease: uuid(),
  leasedUntil: time("leased_until"),
  createdAt: time("created_at").notNull().defaultNow(),
  updatedAt: time("updated_at").notNull().defaultNow(),
});

type Row = Omit<typeof backgroundTasks.$inferSelect, "kind" | "input">;
export type ReplayTask = Row & { kind: BackgroundTaskKind; input: ReplayInput };
export type UsageTask = Row & { kind: UsageKind; input: UsageInput };
/** What it has expunged is counted in `queued`. */
export type PurgeTask = Row & { kind: typeof purgeKind; input: PurgeInput };
export type BackgroundTask = ReplayTask | UsageTask | PurgeTask;
export type NewBackgroundTask = typeof backgroundTasks.$inferInsert;

export const isUsageTask = (task: BackgroundTask): task is UsageTask =>
  usageKinds.some((kind) => kind === task.kind);

export const isPurgeTask = (task: BackgroundTask): task is PurgeTask => task.kind === purgeKind;
