import { and, eq, getTableColumns, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Endpoint, endpoints } from "../models/endpoints.ts";
import { messages } from "../models/messages.ts";
import { type Db, keyset, type Tx } from "./db.ts";
import type { MessageFilter, MessageRow, MessageScope } from "./messages.ts";
import { scanRowsMax } from "./scans.ts";

/** How far a message has come at an endpoint. */
export type DeliveryState = {
  succeeded: boolean;
  attempted: boolean;
  /** Its last attempt was canceled. */
  canceled: boolean;
  /** It is in the queue; `leased` when a worker has it. */
  queued: boolean;
  leased: boolean;
  /** When the next scheduled attempt is due, unless it is under way. */
  nextAt: Date | null;
};
export type DeliveryStatus = 0 | 1 | 2 | 3 | 4;

const stateColumns = {
  succeeded: sql<boolean>`s.succeeded`.as("succeeded"),
  attempted: sql<boolean>`s.attempted`.as("attempted"),
  canceled: sql<boolean>`s.canceled`.as("canceled"),
  queued: sql<boolean>`s.queued`.as("queued"),
  leased: sql<boolean>`s.leased`.as("leased"),
  nextAt: sql<Date | null>`s.next_at`.mapWith(endpoints.createdAt).as("next_at"),
};

const statusIs: Record<DeliveryStatus, SQL> = {
  0: sql`s.succeeded`,
  1: sql`not s.attempted and s.queued and not s.leased`,
  2: sql`not s.succeeded and not s.canceled and not s.queued`,
  3: sql`not s.succeeded and (s.leased or (s.attempted and s.queued))`,
  4: sql`s.canceled and not s.succeeded and not s.queued`,
};

/**
 * An attempt's id begins like its message's or sorts after it: four characters cover eight minutes, which also allows
 * for clocks that differ. So the search leaves out the partitions before the message's.
 */
export const firstAttemptId = (messageId: SQL): SQL => sql`'atmpt_' || substr(${messageId}, 5, 4)`;

/**
 * A row for each endpoint that the message has an attempt or a delivery at.
 * @param toAttemptId no attempt has this id or a larger one: it keeps the partitions of coming weeks out
 */
const stateOf = (messageId: SQL, toAttemptId: string, restriction: SQL): SQL => sql`(
  select endpoint_id, bool_or(succeeded) as succeeded, bool_or(attempted) as attempted,
         coalesce(max(id) filter (where status = 4) = max(id), false) as canceled,
         bool_or(queued) as queued, bool_or(leased) as leased, min(next_at) as next_at
  from (
    select endpoint_id, id, status, status = 0 as succeeded, status <> 4 as attempted, false as queued, false as leased,
           null::timestamptz as next_at
    from attempts where message_id = ${messageId} and id >= ${firstAttemptId(messageId)}
      and id < ${toAttemptId} ${restriction}
    union all
    select endpoint_id, null, null, false, false, true, lease is not null,
           case when trigger = 0 and lease is null then due_at end
    from deliveries where message_id = ${messageId} ${restriction}
  ) each
  group by endpoint_id
) as s`;

export function createDeliveryStatesRepo(db: Db | Tx) {
  return {
    /**
     * The messages that an endpoint was sent or will be. Indexes: messages_app_id in the order of the list, and for each
     * message the keys of attempts and deliveries. It looks at `scanRowsMax` messages at most: the message repo's
     * `scannedTo` says how far it came.
     */
    async listMessages(
      scope: MessageScope & { endpointId: string; toAttemptId: string },
      request: PageRequest,
      filter: MessageFilter & { status: DeliveryStatus | null },
    ): Promise<(MessageRow & DeliveryState)[]> {
      const { past, order } = keyset(messages.id, request);
      const { orgId: _, ...columns } = getTableColumns(messages);
      const scanned = db
        .select(columns)
        .from(messages)
        .where(
          and(
            eq(messages.appId, scope.appId),
            eq(messages.orgId, scope.orgId),
            gte(messages.id, scope.from),
            lt(messages.id, scope.to),
            past,
          ),
        )
        .orderBy(order)
        .limit(scanRowsMax)
        .as("scanned");
      const state = stateOf(
        sql`${scanned.id}`,
        scope.toAttemptId,
        sql`and endpoint_id = ${scope.endpointId}`,
      );
      return db
        .select({
          id: scanned.id,
          appId: scanned.appId,
          eventType: scanned.eventType,
          eventId: scanned.eventId,
          channels: scanned.channels,
          tags: scanned.tags,
          deliverAt: scanned.deliverAt,
          contentType: scanned.contentType,
          payload: scanned.payload,
          payloadExpiresAt: scanned.payloadExpiresAt,
          ...stateColumns,
        })
        .from(scanned)
        .innerJoin(sql`lateral ${state}`, sql`true`)
        .where(
          and(
            filter.eventTypes === null ? undefined : inArray(scanned.eventType, filter.eventTypes),
            filter.channel === null ? undefined : sql`${filter.channel} = any(${scanned.channels})`,
            filter.tag === null ? undefined : sql`${filter.tag} = any(${scanned.tags})`,
            filter.status === null ? undefined : statusIs[filter.status],
          ),
        )
        .orderBy(request.scan === "ascending" ? sql`${scanned.id}` : sql`${scanned.id} desc`)
        .limit(request.limit + 1);
    },

    /** The endpoints that a message was sent to or will be, deleted ones too. Indexes: the three keys. */
    async listEndpoints(
      scope: { orgId: string; appId: string; messageId: string; toAttemptId: string },
      request: PageRequest,
    ): Promise<(Endpoint & DeliveryState)[]> {
      const { past, order } = keyset(endpoints.id, request);
      const states = stateOf(sql`${scope.messageId}::text`, scope.toAttemptId, sql``);
      return db
        .select({ ...getTableColumns(endpoints), ...stateColumns })
        .from(endpoints)
        .innerJoin(states, sql`s.endpoint_id = ${endpoints.id}`)
        .where(and(eq(endpoints.orgId, scope.orgId), eq(endpoints.appId, scope.appId), past))
        .orderBy(order)
        .limit(request.limit + 1);
    },
  };
}
