import { and, between, eq, getTableColumns, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Attempt, attempts } from "../models/attempts.ts";
import { type Db, keyset, type Tx } from "./db.ts";
import { scanRowsMax } from "./scans.ts";

/** Of one endpoint or of one message, with ids in a range that keeps old partitions out of it. */
export type AttemptScope = { orgId: string; appId: string; from: string; to: string } & (
  | { endpointId: string }
  | { messageId: string }
);

export type AttemptFilter = {
  /** 0 success, 2 fail */
  status: 0 | 2 | null;
  /** Inclusive. */
  statusCodes: { from: number; to: number } | null;
  channel: string | null;
  eventTypes: string[] | null;
  endpointId: string | null;
};

// Literals: a plan that is kept for any parameter could not use the index of failures.
const statusIs = { 0: sql`${attempts.status} = 0`, 2: sql`${attempts.status} = 2` } as const;

/** Whether the index in use has rows that the list leaves out. Failures of an endpoint have an index of their own. */
export const isSifted = (scope: AttemptScope, filter: AttemptFilter): boolean =>
  filter.statusCodes !== null ||
  filter.channel !== null ||
  filter.eventTypes !== null ||
  filter.endpointId !== null ||
  filter.status === 0 ||
  (filter.status === 2 && "messageId" in scope);

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
      "endpointId" in scope && filter.status === 2 ? statusIs[2] : undefined,
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
     * Indexes, in the order of the list: attempts_endpoint, attempts_failed when failures are asked for, or the key for
     * those of a message. Other filters look at `scanRowsMax` rows at most: `scannedTo` says how far they came.
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
      const { status, statusCodes, channel, eventTypes, endpointId } = filter;
      return db
        .select()
        .from(scanned)
        .where(
          and(
            status === null ? undefined : eq(scanned.status, status),
            statusCodes === null
              ? undefined
              : between(scanned.responseStatusCode, statusCodes.from, statusCodes.to),
            channel === null ? undefined : sql`${channel} = any(${scanned.channels})`,
            eventTypes === null ? undefined : inArray(scanned.eventType, eventTypes),
            endpointId === null ? undefined : eq(scanned.endpointId, endpointId),
          ),
        )
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

    /** How many of an endpoint went well and badly. Indexes: attempts_endpoint and attempts_failed, and nothing else. */
    async count(endpointId: string, from: string, to: string): Promise<{ total: number; failed: number }> {
      const range = and(eq(attempts.endpointId, endpointId), gte(attempts.id, from), lt(attempts.id, to));
      const [total, failed] = await Promise.all([
        db.$count(attempts, range),
        db.$count(attempts, and(range, statusIs[2])),
      ]);
      return { total, failed };
    },
  };
}
