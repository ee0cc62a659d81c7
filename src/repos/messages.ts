import { and, eq, gte, inArray, lt, lte, type SQL, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type Message, messages } from "../models/messages.ts";
import { type Db, keyset, type Tx } from "./db.ts";
import { scanRowsMax } from "./scans.ts";

/** Without its content a message's payload is not read; that it has none is not known then. */
export type MessageRow = Omit<Message, "orgId">;

export type MessageFilter = {
  channel: string | null;
  eventTypes: string[] | null;
  /** At least one of these, as an endpoint has it. */
  channels?: string[] | null;
};
export type MessageScope = { orgId: string; appId: string; from: string; to: string };

const columns = (withContent: boolean) => ({
  id: messages.id,
  appId: messages.appId,
  eventType: messages.eventType,
  eventId: messages.eventId,
  channels: messages.channels,
  contentType: messages.contentType,
  payload: withContent ? messages.payload : sql<string | null>`null`.as("payload"),
  payloadExpiresAt: messages.payloadExpiresAt,
});

const within = ({ orgId, appId, from, to }: MessageScope) =>
  and(eq(messages.appId, appId), eq(messages.orgId, orgId), gte(messages.id, from), lt(messages.id, to));

export function createMessagesRepo(db: Db | Tx) {
  const own = (orgId: string, appId: string, id: SQL) =>
    and(sql`${messages.id} = ${id}`, eq(messages.orgId, orgId), eq(messages.appId, appId));

  return {
    /**
     * `ref` is an id or an eventId. Indexes: the key, in the one partition that the id falls into; before it, for an
     * eventId, the key of message_event_ids.
     */
    async find(orgId: string, appId: string, ref: string, withContent: boolean): Promise<MessageRow | null> {
      const id = ref.startsWith("msg_")
        ? sql`${ref}`
        : sql`(select message_id from message_event_ids where app_id = ${appId} and event_id = ${ref})`;
      const [row] = await db
        .select(columns(withContent))
        .from(messages)
        .where(own(orgId, appId, id));
      return row ?? null;
    },

    /** Those that there are, in any order. Index: the key, in the partitions that the ids fall into. */
    async findAll(
      orgId: string,
      appId: string,
      ids: readonly string[],
      withContent: boolean,
    ): Promise<MessageRow[]> {
      const sorted = [...new Set(ids)].sort();
      const [first, last] = [sorted[0], sorted.at(-1)];
      if (first === undefined || last === undefined) return [];
      return db
        .select(columns(withContent))
        .from(messages)
        .where(
          and(
            sql`${messages.id} = any(${sql.param(sorted)}::text[])`,
            // Keeps the other partitions out of it: an array in a parameter does not.
            gte(messages.id, first),
            lte(messages.id, last),
            eq(messages.orgId, orgId),
            eq(messages.appId, appId),
          ),
        );
    },

    /**
     * Index: messages_app_id, in the order of the list. A filter looks at `scanRowsMax` rows at most: when fewer than
     * the limit pass it, `scannedTo` says how far it came.
     */
    async list(
      scope: MessageScope,
      request: PageRequest,
      filter: MessageFilter,
      withContent: boolean,
    ): Promise<MessageRow[]> {
      const { past, order } = keyset(messages.id, request);
      const channels = filter.channels ?? null;
      const filtered = filter.channel !== null || filter.eventTypes !== null || channels !== null;
      const scanned = db
        .select(columns(withContent))
        .from(messages)
        .where(and(within(scope), past))
        .orderBy(order)
        .limit(filtered ? scanRowsMax : request.limit + 1)
        .as("scanned");
      return db
        .select()
        .from(scanned)
        .where(
          and(
            filter.eventTypes === null ? undefined : inArray(scanned.eventType, filter.eventTypes),
            filter.channel === null ? undefined : sql`${filter.channel} = any(${scanned.channels})`,
            channels === null ? undefined : sql`${scanned.channels} && ${sql.param(channels)}::text[]`,
          ),
        )
        .orderBy(request.scan === "ascending" ? sql`${scanned.id}` : sql`${scanned.id} desc`)
        .limit(request.limit + 1);
    },

    /** The last id that a filtered list looked at; null when it came to the end. Index: messages_app_id. */
    async scannedTo(scope: MessageScope, request: PageRequest): Promise<string | null> {
      const { past, order } = keyset(messages.id, request);
      const [row] = await db
        .select({ id: messages.id })
        .from(messages)
        .where(and(within(scope), past))
        .orderBy(order)
        .offset(scanRowsMax - 1)
        .limit(1);
      return row?.id ?? null;
    },

    async insert(
      row: Pick<Message, "id" | "orgId" | "appId" | "eventType" | "payload">,
      payloadRetentionDays: number,
    ): Promise<MessageRow> {
      const payloadExpiresAt = sql`now() + make_interval(days => ${payloadRetentionDays})`;
      const [inserted] = await db
        .insert(messages)
        .values({ ...row, payloadExpiresAt })
        .returning(columns(true));
      return inserted as MessageRow;
    },

    /** Index: the key. */
    async removeContent(orgId: string, appId: string, id: string): Promise<boolean> {
      const rows = await db
        .update(messages)
        .set({ payload: null })
        .where(own(orgId, appId, sql`${id}`))
        .returning({ id: messages.id });
      return rows.length > 0;
    },

    /**
     * `refs` are ids or eventIds; gives those that name a message. Indexes: the keys of messages and of
     * message_event_ids.
     */
    async removeContents(orgId: string, appId: string, refs: string[]): Promise<Set<string>> {
      const isId = (ref: string) => ref.startsWith("msg_");
      const ids = refs.filter(isId);
      const eventIds = refs.filter((ref) => !isId(ref));
      const rows = await db.execute<{ ref: string }>(sql`
        with named as materialized (
          select id as ref, id from unnest(${sql.param(ids)}::text[]) as t(id)
          union all
          select e.event_id, e.message_id from message_event_ids e
          where e.app_id = ${appId} and e.event_id = any(${sql.param(eventIds)}::text[])
        ),
        emptied as (
          update messages set payload = null
          where id = any(array(select id from named)) and org_id = ${orgId} and app_id = ${appId}
          returning id
        )
        select n.ref from named n join emptied e on e.id = n.id`);
      return new Set(rows.map(({ ref }) => ref));
    },

    /** Expunges the next of an application's messages. Indexes: messages_app_id, then the key. */
    async removeNextContents(batch: {
      orgId: string;
      appId: string;
      afterId: string;
      beforeId: string;
      batchSize: number;
    }): Promise<{ scanned: number; purged: number; lastId: string | null }> {
      const { orgId, appId, afterId, beforeId, batchSize } = batch;
      const [row] = await db.execute<{ scanned: number; purged: number; last_id: string | null }>(sql`
        with batch as materialized (
          select id, payload is not null as filled from messages
          where app_id = ${appId} and org_id = ${orgId} and id > ${afterId} and id < ${beforeId}
          order by id limit ${batchSize}
        ),
        purged as (
          update messages set payload = null
          where id = any(array(select id from batch where filled)) and payload is not null
          returning id
        )
        select (select count(*) from batch)::int as scanned, (select max(id) from batch) as last_id,
               (select count(*) from purged)::int as purged`);
      return { scanned: row?.scanned ?? 0, purged: row?.purged ?? 0, lastId: row?.last_id ?? null };
    },
  };
}
