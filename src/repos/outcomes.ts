import type { Sql } from "postgres";
import { columnOf, writeArray } from "../lib/postgres-arrays.ts";

/** What came of one attempt, and what becomes of its delivery. */
export type Outcome = {
  attemptId: string;
  orgId: string;
  appId: string;
  messageId: string;
  endpointId: string;
  eventType: string;
  channels: string[] | null;
  tags: string[] | null;
  trigger: number;
  /** The how manieth attempt of its delivery this was, from 1. */
  attempt: number;
  lease: string;
  /** Sent to learn whether an endpoint whose breaker is open works again. */
  probe: boolean;
  succeeded: boolean;
  /** 0 when no response came. */
  responseStatusCode: number;
  response: string;
  durationMs: number;
  url: string;
  /** The next attempt is due so long after this one is written; null when the delivery is finished, well or badly. */
  retryInMs: number | null;
  /** As they are stored, see `keepHeaders`; null when they are not kept. */
  sentHeaders: string | null;
  responseHeaders: string | null;
};

/** Failures in a row that open an endpoint's breaker: more than one message's retries in the default schedule. */
const breakerFailures = 10;
/** The longest that it stays open between two probes; it starts with a second and doubles. */
const breakerOpenSecondsMax = 30;

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createOutcomesRepo(sql: Sql) {
  const rewound = (recountFrom: string) => sql`
        rewound as (
          update attempts_counted set before_id = least(before_id, ${recountFrom}), rewinds = rewinds + 1 where one
        ),`;

  return {
    /**
     * Writes attempts into the history and takes their deliveries out of the queue, or makes them due again, in one
     * statement. A delivery whose lease is another's by now stays as it is: only the history grows.
     *
     * Indexes: deliveries' key; endpoint_health's key.
     * @param recountFrom the first hour that has to be counted anew, where attempts come late: see attempt-counts.ts
     * @returns endpoints whose breaker is open
     */
    async record(outcomes: Outcome[], recountFrom: string | null): Promise<string[]> {
      const rows = await sql<{ endpoint_id: string; open: boolean | null }[]>`
        with input as materialized (
          select t.*, now() + make_interval(secs => t.retry_in_ms / 1000) as next_at from unnest(
            ${outcomes.map((o) => o.attemptId)}::text[],
            ${outcomes.map((o) => o.orgId)}::text[],
            ${outcomes.map((o) => o.appId)}::text[],
            ${outcomes.map((o) => o.messageId)}::text[],
            ${outcomes.map((o) => o.endpointId)}::text[],
            ${outcomes.map((o) => o.eventType)}::text[],
            ${columnOf(outcomes, (o) => o.channels && writeArray(o.channels))}::text[],
            ${columnOf(outcomes, (o) => o.tags && writeArray(o.tags))}::text[],
            ${outcomes.map((o) => o.trigger)}::int[],
            ${outcomes.map((o) => o.attempt)}::int[],
            ${outcomes.map((o) => o.lease)}::uuid[],
            ${outcomes.map((o) => (o.probe ? 1 : 0))}::int[],
            ${outcomes.map((o) => (o.succeeded ? 0 : 2))}::int[],
            ${outcomes.map((o) => o.responseStatusCode)}::int[],
            ${outcomes.map((o) => o.response)}::text[],
            ${outcomes.map((o) => o.durationMs)}::int[],
            ${outcomes.map((o) => o.url)}::text[],
            ${columnOf(outcomes, (o) => o.retryInMs)}::float8[],
            ${columnOf(outcomes, (o) => o.sentHeaders)}::text[],
            ${columnOf(outcomes, (o) => o.responseHeaders)}::text[]
          ) as t(id, org_id, app_id, message_id, endpoint_id, event_type, channels, tags, trigger, attempt, lease, probe,
                 status, response_status_code, response, duration_ms, url, retry_in_ms, sent_headers, response_headers)
        ),${recountFrom === null ? sql`` : rewound(recountFrom)}
        history as (
          insert into attempts (id, org_id, app_id, message_id, endpoint_id, event_type, channels, tags, trigger, attempt,
                                status, response_status_code, response, duration_ms, url, next_at, sent_headers,
                                response_headers)
          select id, org_id, app_id, message_id, endpoint_id, event_type, channels::text[], tags::text[], trigger,
                 attempt, status, response_status_code, response, duration_ms, url, next_at, sent_headers,
                 response_headers
          from input
        ),
        finished as (
          delete from deliveries d using input i
          where d.message_id = i.message_id and d.endpoint_id = i.endpoint_id and d.trigger = i.trigger
            and d.lease = i.lease and i.next_at is null
        ),
        retried as (
          update deliveries d
          set due_at = i.next_at, attempt = i.attempt, priority = case when d.position is null then 1 else 3 end,
              lease = null
          from input i
          where d.message_id = i.message_id and d.endpoint_id = i.endpoint_id and d.trigger = i.trigger
            and d.lease = i.lease and i.next_at is not null
        ),
        endpoints_seen as materialized (
          select endpoint_id, min(org_id) as org_id, bool_or(status = 0) as succeeded, count(*)::int as failures,
                 max(probe) as probes
          from input group by endpoint_id
        ),
        healed as (
          delete from endpoint_health h using endpoints_seen s where h.endpoint_id = s.endpoint_id and s.succeeded
        )
        -- trips comes in as 1 when a probe failed. The breaker opens at so many failures in a row, and again after
        -- a failed probe; failures of what was still under way when it opened don't prolong it.
        insert into endpoint_health as h (endpoint_id, org_id, failing_since, consecutive_failures, trips, open_until)
        select endpoint_id, org_id, now(), failures, probes,
               case when failures >= ${breakerFailures} then now() + interval '1 s' end
        from endpoints_seen where not succeeded order by endpoint_id
        on conflict (endpoint_id) do update
        set consecutive_failures = h.consecutive_failures + excluded.consecutive_failures,
            trips = h.trips + excluded.trips,
            open_until = case
              when excluded.trips > 0 or h.open_until is null
                and h.consecutive_failures + excluded.consecutive_failures >= ${breakerFailures}
              then now() + make_interval(secs => least(${breakerOpenSecondsMax}, 2.0 ^ (h.trips + excluded.trips)))
              else h.open_until end
        returning h.endpoint_id, h.open_until > now() as open`;
      return rows.filter((row) => row.open === true).map((row) => row.endpoint_id);
    },

    /** Disables an endpoint that asked for it. Returns false when it was disabled already. */
    async disableEndpoint(orgId: string, endpointId: string): Promise<boolean> {
      const rows = await sql`
        update endpoints set disabled = true, revision = revision + 1, updated_at = now()
        where id = ${endpointId} and org_id = ${orgId} and not disabled and deleted_at is null
        returning id`;
      return rows.length > 0;
    },

    /** Disables an endpoint that has done nothing but fail for so long. Returns false when it has not. */
    async disableIfFailing(orgId: string, endpointId: string, seconds: number): Promise<boolean> {
      const rows = await sql`
        update endpoints e set disabled = true, revision = e.revision + 1, updated_at = now()
        from endpoint_health h
        where e.id = ${endpointId} and e.org_id = ${orgId} and not e.disabled and e.deleted_at is null
          and h.endpoint_id = e.id and h.failing_since <= now() - make_interval(secs => ${seconds})
        returning e.id`;
      return rows.length > 0;
    },
  };
}

export type OutcomesRepo = ReturnType<typeof createOutcomesRepo>;
