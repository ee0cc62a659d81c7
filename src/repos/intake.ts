import type { Sql } from "postgres";
import { idTime } from "../lib/ids.ts";
import { columnOf, writeArray } from "../lib/postgres-arrays.ts";
import { arrivalKey } from "./poll-fence.ts";

export type IntakeRow = {
  id: string;
  orgId: string;
  /** The application as the path names it: an id, or else a uid. */
  appRef: string;
  eventType: string;
  eventId: string | null;
  channels: string[] | null;
  tags: string[] | null;
  /** Null, or a time that has passed: at once. */
  deliverAt: Date | null;
  /** The payload's bytes. */
  payload: string;
  /** Null for application/json. */
  contentType: string | null;
  payloadRetentionHours: number;
  idempotency: { key: string; bodyHash: string } | null;
};

/** What this process takes on at once of the deliveries that it commits. */
export type IntakeHold = {
  lease: string;
  leaseSeconds: number;
  /** Endpoints whose deliveries are left for a later claim. */
  saturated: string[];
  deliveriesMax: number;
  perEndpointMax: number;
};

/** The hold of a process that delivers nothing itself. */
const noHold = { lease: null, leaseSeconds: 0, saturated: [], deliveriesMax: 0, perEndpointMax: 0 };

export type QueuedDelivery = { appId: string; endpointId: string; revision: number; leased: boolean };

export type IntakeResult =
  | { kind: "accepted"; id: string; deliveries: QueuedDelivery[] }
  | { kind: "no-application" }
  | { kind: "duplicate-event"; id: string }
  | { kind: "duplicate-key" }
  /** Not stored: readers are past its id. One that is newer than the fence (Unix milliseconds) will do. */
  | { kind: "late"; fenceMs: number };

/** A delivery, or else why a message was not stored. One that was stored and that nobody wants has no row. */
type ResultRow = {
  ordinal: number;
  app_id: string | null;
  fence: string | null;
  key_taken: boolean | null;
  endpoint_id: string | null;
  revision: string | null;
  leased: boolean | null;
};

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createIntakeRepo(sql: Sql) {
  return {
    /**
     * Commits messages, and a delivery for each endpoint that wants one, in one statement.
     *
     * Messages of applications that are polled first show readers that they are on their way, then look whether those
     * have read past them: see poll-fence.ts. CASE keeps that order, and the others out of it.
     *
     * What became of a message is asked with IN, where it can't become a join: a join of two of these lists would go
     * through one for each row of the other.
     *
     * Indexes: applications' key or applications_org_uid, endpoints_app_id; inserts into everything else.
     * @returns what became of each row, in their order
     */
    async insert(rows: IntakeRow[], hold: IntakeHold | null): Promise<IntakeResult[]> {
      const { lease, leaseSeconds, saturated, deliveriesMax, perEndpointMax } = hold ?? noHold;
      const oldestMs = oldestOf(rows);
      const payloads = rows.map((row) => row.payload);
      const between = separatorOf(payloads);
      const found = await sql<ResultRow[]>`
        with input as materialized (
          select * from unnest(
            ${rows.map((row) => row.id)}::text[],
            ${rows.map((row) => row.orgId)}::text[],
            ${columnOf(rows, (row) => (row.appRef.startsWith("app_") ? row.appRef : null))}::text[],
            ${columnOf(rows, (row) => (row.appRef.startsWith("app_") ? null : row.appRef))}::text[],
            ${rows.map((row) => row.eventType)}::text[],
            ${columnOf(rows, (row) => row.eventId)}::text[],
            ${columnOf(rows, (row) => row.channels && writeArray(row.channels))}::text[],
            ${columnOf(rows, (row) => row.tags && writeArray(row.tags))}::text[],
            ${columnOf(rows, (row) => row.deliverAt?.toISOString() ?? null)}::timestamptz[],
            string_to_array(${payloads.join(between)}, ${between}),
            ${columnOf(rows, (row) => row.contentType)}::text[],
            ${rows.map((row) => row.payloadRetentionHours)}::int[],
            ${columnOf(rows, (row) => row.idempotency?.key ?? null)}::uuid[],
            ${columnOf(rows, (row) => row.idempotency?.bodyHash ?? null)}::uuid[]
          ) with ordinality as t(id, org_id, app_id, app_uid, event_type, event_id, channels, tags, deliver_at,
                                 payload, content_type, retention_hours, key, body_hash, ordinal)
        ),
        resolved as materialized (
          select i.id, i.org_id, a.id as app_id, i.event_type, i.event_id, i.channels::text[] as channels,
                 i.tags::text[] as tags, i.deliver_at,
                 -- No text holds one empty element.
                 coalesce(i.payload, '') as payload,
                 i.content_type, i.retention_hours, i.key, i.body_hash, i.ordinal, a.throttle_rate,
                 case when a.polled then (
                   select case when pg_advisory_xact_lock_shared(${arrivalKey(oldestMs)}::bigint) is not null then (
                     select last_value from poll_fence where last_value >= ${oldestMs}::bigint
                   ) end
                 ) end as fence
          from input i
          left join lateral (
            select a.id, a.throttle_rate, a.polled
            from (select * from applications where id = i.app_id offset 0) a
            where a.org_id = i.org_id and a.deleted_at is null
            union all
            select a.id, a.throttle_rate, a.polled from applications a
            where a.org_id = i.org_id and a.uid = i.app_uid and a.deleted_at is null
          ) a on true
        ),
        keys as (
          insert into idempotency_keys (key, body_hash, org_id, message_id, status)
          select key, body_hash, org_id, id, 202 from resolved
          where key is not null and app_id is not null and fence is null
          order by key
          on conflict do nothing
          returning message_id
        ),
        keyed as materialized (
          select r.*, r.key is not null and r.id not in (select message_id from keys) as key_taken
          from resolved r
          where r.app_id is not null and r.fence is null
        ),
        events as (
          insert into message_event_ids (app_id, event_id, message_id)
          select app_id, event_id, id from keyed where event_id is not null and not key_taken
          order by app_id, event_id
          on conflict do nothing
          returning message_id
        ),
        stored as materialized (
          select * from keyed
          where not key_taken and (event_id is null or id in (select message_id from events))
        ),
        written as (
          insert into messages (id, org_id, app_id, event_type, event_id, channels, tags, deliver_at, payload,
                                content_type, payload_expires_at)
          select id, org_id, app_id, event_type, event_id, channels, tags, deliver_at, payload, content_type,
                 greatest(now(), deliver_at) + make_interval(hours => retention_hours)
          from stored
        ),
        candidates as materialized (
          select s.id as message_id, s.org_id, s.app_id, s.ordinal, s.deliver_at, e.id as endpoint_id, e.revision,
                 e.filter_path, e.fifo and (s.deliver_at is null or s.deliver_at <= now()) as fifo,
                 s.throttle_rate is null and e.throttle_rate is null and not e.fifo
                   and (s.deliver_at is null or s.deliver_at <= now()) as free
          from stored s
          cross join lateral (
            select * from endpoints e
            where e.app_id = s.app_id and e.deleted_at is null and not e.disabled and not e.polled
              and (e.event_types is null or s.event_type = any(e.event_types))
              and (e.channels is null or e.channels && s.channels)
            offset 0
          ) e
        ),
        -- Each payload that a filter asks for is read once.
        documents as materialized (
          select s.id, payload_document(s.payload, s.content_type) as document from stored s
          where (s.id in (select message_id from candidates where filter_path is not null)) is true
        ),
        wanted as materialized (
          select c.message_id, c.org_id, c.app_id, c.endpoint_id, c.revision, c.fifo, c.ordinal, c.deliver_at,
                 row_number() over (partition by c.endpoint_id order by c.ordinal) <= ${perEndpointMax}
                   and row_number() over (order by c.ordinal) <= ${deliveriesMax}
                   and c.free
                   and c.endpoint_id <> all(${saturated}::text[])
                   and not exists (
                     select from endpoint_health h where h.endpoint_id = c.endpoint_id and h.open_until is not null
                   ) as leased
          from candidates c
          where c.filter_path is null
             or (select d.document from documents d where d.id = c.message_id) @@ c.filter_path
        ),
        queued as (
          insert into deliveries (message_id, endpoint_id, org_id, app_id, priority, position, due_at, lease)
          select message_id, endpoint_id, org_id, app_id, case when fifo then 3 else 0 end,
                 case when fifo then (select nextval('delivery_positions')) + ordinal end,
                 case when leased then now() + make_interval(secs => ${leaseSeconds}) else greatest(now(), deliver_at) end,
                 case when leased then ${lease}::uuid end
          from wanted
        )
        select w.ordinal::int, w.app_id, null as fence, null as key_taken, w.endpoint_id, w.revision, w.leased
        from wanted w
        union all
        select r.ordinal::int, r.app_id, r.fence, r.id in (select id from keyed where key_taken), null, null, null
        from resolved r
        where r.id not in (select id from stored)`;
      return collect(rows, found);
    },

    /** The message that a taken key stands for; null when the key is free again or its message is gone. */
    async findByKey(orgId: string, key: string): Promise<{ messageId: string; bodyHash: string } | null> {
      const [row] = await sql<{ message_id: string; body_hash: string }[]>`
        select message_id, body_hash from idempotency_keys
        where key = ${key} and org_id = ${orgId} and message_id is not null`;
      return row === undefined ? null : { messageId: row.message_id, bodyHash: row.body_hash };
    },

    /** Frees a key whose message was refused for another reason. */
    async releaseKey(orgId: string, key: string, messageId: string): Promise<void> {
      await sql`delete from idempotency_keys where key = ${key} and org_id = ${orgId} and message_id = ${messageId}`;
    },
  };
}

export type IntakeRepo = ReturnType<typeof createIntakeRepo>;

/** No JSON holds it as it is; a raw payload may hold anything. */
const recordSeparator = "\u001e";

/** A text that no payload holds: they travel as one, since the quotes of an array's elements would all be escaped. */
const separatorOf = (payloads: string[]): string =>
  payloads.some((payload) => payload.includes(recordSeparator)) ? crypto.randomUUID() : recordSeparator;

/** The time in the oldest id, in Unix milliseconds. */
function oldestOf(rows: IntakeRow[]): number {
  let oldest = (rows[0] as IntakeRow).id;
  for (const { id } of rows) if (id < oldest) oldest = id;
  return idTime(oldest).getTime();
}

function collect(rows: IntakeRow[], found: ResultRow[]): IntakeResult[] {
  const results = rows.map(({ id }): IntakeResult => ({ kind: "accepted", id, deliveries: [] }));
  for (const row of found) {
    const index = row.ordinal - 1;
    const result = results[index] as IntakeResult;
    if (row.endpoint_id === null) results[index] = refusalOf(row, rows[index] as IntakeRow);
    else if (result.kind === "accepted") {
      result.deliveries.push({
        appId: row.app_id as string,
        endpointId: row.endpoint_id,
        revision: Number(row.revision),
        leased: row.leased === true,
      });
    }
  }
  return results;
}

function refusalOf(row: ResultRow, { id }: IntakeRow): IntakeResult {
  if (row.app_id === null) return { kind: "no-application" };
  if (row.fence !== null) return { kind: "late", fenceMs: Number(row.fence) };
  return row.key_taken ? { kind: "duplicate-key" } : { kind: "duplicate-event", id };
}
