import {
  type AnyColumn,
  and,
  between,
  desc,
  eq,
  getTableColumns,
  gte,
  inArray,
  lt,
  ne,
  type SQL,
  sql,
} from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import {
  type Attempt,
  type AttemptStatus,
  attemptStatus,
  attempts,
  type NewAttempt,
} from "../models/attempts.ts";
import { type Db, keyset, type Tx } from "./db.ts";
import { scanRowsMax } from "./scans.ts";

/** Of one endpoint or of one message, with ids in a range that keeps old partitions out of it. */
export type AttemptScope = { orgId: string; appId: string; from: string; to: string } & (
  | { endpointId: string }
  | { messageId: string }
);

export type AttemptFilter = {
  status: AttemptStatus | null;
  /** Inclusive. */
  statusCodes: { from: number; to: number } | null;
  channel: string | null;
  tag: string | null;
  eventTypes: string[] | null;
  endpointId: string | null;
};

// Literals: a plan that is kept for any parameter could not use attempts_unsuccessful.
const statusIs = {
  0: sql`${attempts.status} = 0`,
  2: sql`${attempts.status} = 2`,
  4: sql`${attempts.status} = 4`,
} as const;

/** Whether the index in use has rows that the list leaves out. What failed or was canceled at an endpoint has an index of its own. */
export const isSifted = (scope: AttemptScope, filter: AttemptFilter): boolean =>
  filter.statusCodes !== null ||
  filter.channel !== null ||
  filter.tag !== null ||
  filter.eventTypes !== null ||
  filter.endpointId !== null ||
  filter.status === attemptStatus.success ||
  (filter.status !== null && "messageId" in scope);

type Sifted = Pick<
  typeof attempts,
  "status" | "responseStatusCode" | "channels" | "tags" | "eventType" | "endpointId"
>;

/** What a filter asks of the rows that were looked at. */
function sifted(rows: { [Column in keyof Sifted]: AnyColumn }, filter: AttemptFilter): SQL | undefined {
  const { status, statusCodes, channel, tag, eventTypes, endpointId } = filter;
  return and(
    status === null ? undefined : eq(rows.status, status),
    statusCodes === null
      ? undefined
      : and(
          between(rows.responseStatusCode, statusCodes.from, statusCodes.to),
          ne(rows.status, attemptStatus.canceled),
        ),
    channel === null ? undefined : sql`${channel} = any(${rows.channels})`,
    tag === null ? undefined : sql`${tag} = any(${rows.tags})`,
    eventTypes === null ? undefined : inArray(rows.eventType, eventTypes),
    endpointId === null ? undefined : eq(rows.endpointId, endpointId),
  );
}

/** All but the headers, which are long and which lists have no use for. */
export type AttemptRow = Omit<Attempt, "sentHeaders" | "responseHeaders">;
const { sentHeaders, responseHeaders, ...columns } = getTableColumns(attempts);

export function createAttemptsRepo(db: Db | Tx) {
  const within = (scope: AttemptScope, filter: AttemptFilter) =>
    and(
      "endpointId" in scope
        ? eq(attempts.endpointId, scope.endpointId)
        : eq(attempts.messageId, scope.messageId),
      eq(attempts.orgId, scope.orgId),
      eq(attempts.appId, scope.appId),
      gte(attempts.id, scope.from),
      lt(attempts.id, scope.to),
      "endpointId" in scope && filter.status !== null && filter.status !== attemptStatus.success
        ? statusIs[filter.status]
        : undefined,
    );

  const one = (orgId: string, appId: string, messageId: string, id: string): SQL | undefined =>
    and(
      eq(attempts.messageId, messageId),
      eq(attempts.id, id),
      eq(attempts.orgId, orgId),
      eq(attempts.appId, appId),
    );

  return {
    /** Index: the key, in the one partition that the id falls into. */
    async find(orgId: string, appId: string, messageId: string, id: string): Promise<AttemptRow | null> {
      const [row] = await db
        .select(columns)
        .from(attempts)
        .where(one(orgId, appId, messageId, id));
      return row ?? null;
    },

    /** As they were stored, each null when it was not kept. Index: as `find`. */
    async findHeaders(
      orgId: string,
      appId: string,
      messageId: string,
      id: string,
    ): Promise<Pick<Attempt, "id" | "sentHeaders" | "responseHeaders"> | null> {
      const [row] = await db
        .select({ id: attempts.id, sentHeaders, responseHeaders })
        .from(attempts)
        .where(one(orgId, appId, messageId, id));
      return row ?? null;
    },

    /**
     * Indexes, in the order of the list: attempts_endpoint, attempts_unsuccessful for what failed or was canceled, or
     * the key for those of a message. Other filters look at `scanRowsMax` rows at most: `scannedTo` says how far they came.
     */
    async list(scope: AttemptScope, request: PageRequest, filter: AttemptFilter): Promise<AttemptRow[]> {
      const { past, order } = keyset(attempts.id, request);
      const scanned = db
        .select(columns)
        .from(attempts)
        .where(and(within(scope, filter), past))
        .orderBy(order)
        .limit(isSifted(scope, filter) ? scanRowsMax : request.limit + 1)
        .as("scanned");
      return db
        .select()
        .from(scanned)
        .where(sifted(scanned, filter))
        .orderBy(request.scan === "ascending" ? sql`${scanned.id}` : sql`${scanned.id} desc`)
        .limit(request.limit + 1);
    },

    /** The last id that a sifted list looked at; null when it came to the end. Indexes: as `list`. */
    async scannedTo(
      scope: AttemptScope,
      request: PageRequest,
      filter: AttemptFilter,
    ): Promise<string | null> {
      const { past, order } = keyset(attempts.id, request);
      const [row] = await db
        .select({ id: attempts.id })
        .from(attempts)
        .where(and(within(scope, filter), past))
        .orderBy(order)
        .offset(scanRowsMax - 1)
        .limit(1);
      return row?.id ?? null;
    },

    /** Index: the key. */
    async removeContent(orgId: string, appId: string, messageId: string, id: string): Promise<boolean> {
      const rows = await db
        .update(attempts)
        .set({ response: null, responseHeaders: null })
        .where(one(orgId, appId, messageId, id))
        .returning({ id: attempts.id });
      return rows.length > 0;
    },

    /**
     * How many there are among the newest `rowsMax` of the scope, and whether it has more than those. Indexes: as `list`.
     */
    async countNewest(
      scope: AttemptScope,
      filter: AttemptFilter,
      rowsMax: number,
    ): Promise<{ count: number; more: boolean }> {
      const scanned = db
        .select()
        .from(attempts)
        .where(within(scope, filter))
        .orderBy(desc(attempts.id))
        .limit(rowsMax + 1)
        .as("scanned");
      const [row] = await db
        .select({
          count: sql<number>`(count(*) filter (where ${sifted(scanned, filter) ?? sql`true`}))::int`,
          scanned: sql<number>`count(*)::int`,
        })
        .from(scanned);
      const more = (row?.scanned ?? 0) > rowsMax;
      return { count: Math.min(row?.count ?? 0, rowsMax), more };
    },

    async insertAll(rows: NewAttempt[]): Promise<void> {
      await db.insert(attempts).values(rows);
    },
  };
}
