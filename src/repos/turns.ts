import type { Sql } from "postgres";
import { type ClaimedDelivery, type ClaimRow, toClaimed } from "./deliveries.ts";

/** An endpoint, and the lease of its turn when it is held here. */
export type AskedTurn = { endpointId: string; held: string | null };

/** `throttled`: it goes at the endpoint's next free moment, see throttles.ts. */
export type DeliveryInLine = ClaimedDelivery & { throttled: boolean };

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createTurnsRepo(sql: Sql) {
  return {
    /**
     * Takes the turn at FIFO endpoints, where it is free or held under the lease given, with the first deliveries of
     * their lines; where none is due the turn is free then. A turn that has moved since this statement began is left.
     *
     * Indexes: the keys of turns, endpoints, applications, deliveries and messages; deliveries_position.
     * @returns in the order of each line
     */
    async claim(
      asked: AskedTurn[],
      options: { lease: string; leaseSeconds: number; perLineMax: number },
    ): Promise<DeliveryInLine[]> {
      const rows = await sql<(ClaimRow & { throttled: boolean })[]>`
        with asked as materialized (
          select * from unnest(
            ${asked.map((one) => one.endpointId)}::text[], ${asked.map((one) => one.held)}::uuid[]
          ) as t(endpoint_id, held)
        ),
        seen as materialized (
          select a.endpoint_id, a.held, t.lease from asked a join turns t on t.endpoint_id = a.endpoint_id
        ),
        taken as materialized (
          select t.endpoint_id from seen s join turns t on t.endpoint_id = s.endpoint_id
          where (t.held_until <= now() or t.lease = s.held) and t.lease is not distinct from s.lease
          for update of t skip locked
        ),
        line as materialized (
          select n.message_id, n.endpoint_id, n.trigger, n.place, e.revision, h.open_until is not null as probe,
                 e.throttle_rate is not null or a.throttle_rate is not null as throttled
          from taken t
          cross join lateral (select * from endpoints where id = t.endpoint_id offset 0) e
          join applications a on a.id = e.app_id
          left join endpoint_health h on h.endpoint_id = e.id
          cross join lateral (
            select d.*, row_number() over (order by d.position) as place
            from (
              select message_id, endpoint_id, trigger, position from deliveries
              where endpoint_id = t.endpoint_id and position is not null
              order by position limit case when h.open_until is null then ${options.perLineMax}::int else 1 end
            ) d
          ) n
          where e.fifo and not e.disabled and e.deleted_at is null
            and (h.open_until is null or h.open_until <= now())
        ),
        free as materialized (
          select d.message_id, d.endpoint_id, d.trigger, l.place, l.revision, l.probe, l.throttled
          from line l
          join deliveries d
            on d.message_id = l.message_id and d.endpoint_id = l.endpoint_id and d.trigger = l.trigger
          where d.due_at <= now()
          for update of d skip locked
        ),
        -- Up to the first that can't be had: nothing overtakes it.
        due as materialized (
          select * from (
            select f.*, row_number() over (partition by endpoint_id order by place) as nth from free f
          ) f where nth = place
        ),
        moved as (
          update turns t
          set lease = ${options.lease},
              held_until = case when exists (select from due where due.endpoint_id = t.endpoint_id)
                           then now() + make_interval(secs => ${options.leaseSeconds}) else now() end
          from taken where t.endpoint_id = taken.endpoint_id
        ),
        probes as (
          update endpoint_health h set open_until = now() + make_interval(secs => ${options.leaseSeconds})
          from due where due.probe and h.endpoint_id = due.endpoint_id
        ),
        claimed as (
          update deliveries d
          set lease = ${options.lease}, due_at = now() + make_interval(secs => ${options.leaseSeconds})
          from due
          where d.message_id = due.message_id and d.endpoint_id = due.endpoint_id and d.trigger = due.trigger
          returning d.message_id, d.endpoint_id, d.trigger, d.org_id, d.app_id, d.attempt, due.revision, due.probe,
                    due.throttled, d.position
        )
        select c.*, m.payload is null as gone, m.event_type, m.channels, m.tags, m.payload, m.content_type
        from claimed c left join messages m on m.id = c.message_id
        order by c.position`;
      return rows.map((row) => ({ ...toClaimed(row), throttled: row.throttled }));
    },

    /** Gives turns up. Index: the key. */
    async end(held: { endpointId: string; lease: string }[]): Promise<void> {
      if (held.length === 0) return;
      await sql`
        update turns t set held_until = now()
        from unnest(${held.map((one) => one.endpointId)}::text[], ${held.map((one) => one.lease)}::uuid[])
          as h(endpoint_id, lease)
        where t.endpoint_id = h.endpoint_id and t.lease = h.lease`;
    },
  };
}

export type TurnsRepo = ReturnType<typeof createTurnsRepo>;
