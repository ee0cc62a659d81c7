import type { Sql } from "postgres";

export type ClaimOptions = {
  lease: string;
  leaseSeconds: number;
  /** The walk over the endpoints goes on after this one. */
  after: string;
  /** Endpoints that have as much as they can take here. */
  saturated: string[];
  /** At most so many deliveries in all, and of one endpoint. */
  deliveriesMax: number;
  perEndpointMax: number;
  /** At most so many endpoints are looked at. */
  endpointsMax: number;
};

export type ClaimedDelivery = {
  messageId: string;
  endpointId: string;
  trigger: number;
  orgId: string;
  appId: string;
  attempt: number;
  revision: number;
  /** The endpoint is disabled or deleted, or its message has no payload any more: nothing is to be sent. */
  gone: boolean;
  /** The only one of an endpoint whose breaker is open: to learn whether it works again. */
  probe: boolean;
  eventType: string;
  channels: string[] | null;
  tags: string[] | null;
  payload: string;
  contentType: string | null;
};

export type Claim = {
  deliveries: ClaimedDelivery[];
  /** The last endpoint that the walk saw; null when it came to the end. */
  walkedTo: string | null;
  /** Endpoints with a throttleRate that may have something due: see throttles.ts. */
  throttled: string[];
  /** FIFO endpoints whose turn is free and whose first delivery is due: see turns.ts. */
  inLine: string[];
};

export type DeliveryKey = { messageId: string; endpointId: string; trigger: number; lease: string };

/** A row of a claim, as it comes from the database. */
export type ClaimRow = {
  message_id: string | null;
  endpoint_id: string;
  trigger: number;
  org_id: string;
  app_id: string;
  attempt: number;
  revision: string;
  gone: boolean;
  probe: boolean;
  event_type: string;
  channels: string[] | null;
  tags: string[] | null;
  payload: string;
  content_type: string | null;
};
type Walk = { walked: number; walked_to: string; throttled: string[]; in_line: string[] };

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createDeliveriesRepo(sql: Sql) {
  return {
    /**
     * Takes due deliveries under a lease. It walks from endpoint to endpoint through the index, so that neither a
     * backlog of a million rows for one of them nor a saturated one is read past the rows that are taken.
     *
     * Indexes: deliveries_claim (one descent an endpoint and priority; `priority >= 0` lets it in), the keys of
     * endpoints and messages; for FIFO endpoints deliveries_position, of which it reads the first.
     */
    async claim(options: ClaimOptions): Promise<Claim> {
      const rows = await sql<(ClaimRow & Walk)[]>`
        with recursive walk(endpoint_id, visited) as (
          (
            select endpoint_id, 1 from deliveries
            where endpoint_id > ${options.after} and priority >= 0 order by endpoint_id limit 1
          )
          union all
          select next.endpoint_id, w.visited + 1
          from walk w cross join lateral (
            select d.endpoint_id from deliveries d
            where d.endpoint_id > w.endpoint_id and d.priority >= 0 order by d.endpoint_id limit 1
          ) next
          where w.visited < ${options.endpointsMax}
        ),
        walked as materialized (select endpoint_id, visited from walk),
        candidates as materialized (
          select w.endpoint_id, e.revision, e.disabled or e.deleted_at is not null as gone,
                 e.throttle_rate is not null or a.throttle_rate is not null as throttled,
                 h.open_until is not null as probe,
                 -- What stands in line still when the endpoint is none any more goes like the rest.
                 t.endpoint_id is not null and (not e.fifo or e.disabled or e.deleted_at is not null) as lapsed,
                 case when e.fifo and t.held_until <= now() then (
                   select d.due_at <= now() from deliveries d
                   where d.endpoint_id = w.endpoint_id and d.position is not null order by d.position limit 1
                 ) end as in_line
          from walked w
          join endpoints e on e.id = w.endpoint_id
          join applications a on a.id = e.app_id
          left join endpoint_health h on h.endpoint_id = e.id
          left join turns t on t.endpoint_id = e.id
          where w.endpoint_id <> all(${options.saturated}::text[]) and (h.open_until is null or h.open_until <= now())
        ),
        due as materialized (
          select d.message_id, d.endpoint_id, d.trigger, c.revision, c.gone, c.probe
          from candidates c
          cross join lateral (
            select d.* from (values (0), (1), (2), (3)) p(priority)
            cross join lateral (
              select d.message_id, d.endpoint_id, d.trigger from deliveries d
              where d.endpoint_id = c.endpoint_id and d.priority = p.priority and d.priority >= 0 and d.due_at <= now()
              order by d.due_at limit case when c.probe and not c.gone then 1 else ${options.perEndpointMax}::int end
              for update skip locked
            ) d
            where p.priority < 3 or c.lapsed
            limit case when c.probe and not c.gone then 1 else ${options.perEndpointMax}::int end
          ) d
          where c.gone or not c.throttled
          limit ${options.deliveriesMax}
        ),
        -- Nobody else probes until this probe has had its time.
        probes as (
          update endpoint_health h set open_until = now() + make_interval(secs => ${options.leaseSeconds})
          from due where due.probe and h.endpoint_id = due.endpoint_id
        ),
        claimed as (
          update deliveries d
          set lease = ${options.lease}, due_at = now() + make_interval(secs => ${options.leaseSeconds})
          from due
          where d.message_id = due.message_id and d.endpoint_id = due.endpoint_id and d.trigger = due.trigger
          returning d.message_id, d.endpoint_id, d.trigger, d.org_id, d.app_id, d.attempt, due.revision, due.gone, due.probe
        )
        select c.*, c.gone or m.payload is null as gone, m.event_type, m.channels, m.tags, m.payload, m.content_type,
               s.walked, s.walked_to, s.throttled, s.in_line
        from (
          select count(*)::int as walked, max(endpoint_id) as walked_to,
                 array(select endpoint_id from candidates where throttled and not gone) as throttled,
                 array(select endpoint_id from candidates where in_line and not gone) as in_line
          from walked
        ) s
        left join claimed c on true
        left join messages m on m.id = c.message_id`;
      const walked = rows[0]?.walked ?? 0;
      return {
        deliveries: rows.filter((row) => row.message_id !== null).map(toClaimed),
        throttled: rows[0]?.throttled ?? [],
        inLine: rows[0]?.in_line ?? [],
        walkedTo: walked < options.endpointsMax ? null : (rows[0]?.walked_to ?? null),
      };
    },

    /** Gives back what was taken and not started, at no cost to its count of attempts: due again after so many seconds. */
    async release(keys: DeliveryKey[], afterSeconds: number): Promise<void> {
      if (keys.length === 0) return;
      await sql`
        update deliveries d set lease = null, due_at = now() + make_interval(secs => ${afterSeconds})
        from ${unnestKeys(sql, keys)}
        where d.message_id = k.message_id and d.endpoint_id = k.endpoint_id and d.trigger = k.trigger
          and d.lease = k.lease`;
    },

    /**
     * Makes due again what a worker held that is no more; with null, what any worker held.
     * No index: it reads the queue once, and only after a death.
     */
    async releaseLeases(range: { from: string; to: string } | null): Promise<number> {
      const held = sql`lease is not null and ${range === null ? sql`true` : sql`lease between ${range.from} and ${range.to}`}`;
      const freed = await sql`
        with turns_freed as (update turns set held_until = now() where held_until > now() and ${held})
        update deliveries set lease = null, due_at = now() where ${held}`;
      return freed.count;
    },

    /** Takes out of the queue what can't be delivered any more. */
    async drop(keys: DeliveryKey[]): Promise<void> {
      if (keys.length === 0) return;
      await sql`
        delete from deliveries d
        using ${unnestKeys(sql, keys)}
        where d.message_id = k.message_id and d.endpoint_id = k.endpoint_id and d.trigger = k.trigger
          and d.lease = k.lease`;
    },
  };
}

export type DeliveriesRepo = ReturnType<typeof createDeliveriesRepo>;

const unnestKeys = (sql: Sql, keys: DeliveryKey[]) => sql`
  unnest(
    ${keys.map((key) => key.messageId)}::text[], ${keys.map((key) => key.endpointId)}::text[],
    ${keys.map((key) => key.trigger)}::int[], ${keys.map((key) => key.lease)}::uuid[]
  ) as k(message_id, endpoint_id, trigger, lease)`;

export const toClaimed = (row: ClaimRow): ClaimedDelivery => ({
  messageId: row.message_id as string,
  endpointId: row.endpoint_id,
  trigger: row.trigger,
  orgId: row.org_id,
  appId: row.app_id,
  attempt: row.attempt,
  revision: Number(row.revision),
  gone: row.gone,
  probe: row.probe,
  eventType: row.event_type,
  channels: row.channels,
  tags: row.tags,
  payload: row.payload,
  contentType: row.content_type,
});
