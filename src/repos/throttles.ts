import type { Sql } from "postgres";
import { type ClaimedDelivery, type ClaimRow, toClaimed } from "./deliveries.ts";

/** How far apart the starts under one throttle are: an endpoint's own, or its application's. */
export type Step = { id: string; ms: number };

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createThrottlesRepo(sql: Sql) {
  /** The throttles of an endpoint and its application, locked. Only those that were there before the statement. */
  const heldThrottles = (endpointId: string) => sql`
    rates as materialized (
      select e.id, 1.0 / e.throttle_rate as step, e.revision
      from endpoints e where e.id = ${endpointId} and e.throttle_rate is not null
      union all
      select a.id, 1.0 / a.throttle_rate, e.revision
      from endpoints e join applications a on a.id = e.app_id
      where e.id = ${endpointId} and a.throttle_rate is not null
    ),
    made as (
      insert into throttles (id, next_at) select id, now() from rates order by id on conflict do nothing
    ),
    held as materialized (
      select t.id, greatest(t.next_at, clock_timestamp()) as next_at, r.step
      from rates r join throttles t on t.id = r.id order by t.id for update of t
    )`;

  /** The throttle that sets the pace goes on after the last start; of the other's moments only as many are used up. */
  const usedUp = sql`
    update throttles t
    set next_at = case when h.step = p.step then p.first_at else h.next_at end
                  + make_interval(secs => h.step * n.taken)
    from held h, pace p,`;

  return {
    /**
     * Takes an endpoint's next free moment, for a delivery that is claimed already.
     * @returns in how many milliseconds it comes; null when this was the first to ask, and must ask again
     */
    async reserve(endpointId: string): Promise<number | null> {
      const [row] = await sql<{ in_ms: number | null }[]>`
        with ${heldThrottles(endpointId)},
        pace as materialized (
          select max(next_at) as first_at, max(step) as step, count(*) = (select count(*) from rates) as complete from held
        ),
        moved as (
          ${usedUp} (select 1 as taken) n where p.complete and t.id = h.id
        )
        select case when p.complete then
                 greatest(0, 1000 * coalesce(extract(epoch from p.first_at - clock_timestamp()), 0))::float8
               end as in_ms
        from pace p`;
      return row?.in_ms ?? null;
    },

    /**
     * Takes due deliveries of one endpoint that is throttled, itself or by its application, and gives each the moment
     * at which it may start: throttles hold the next free moment, so that the rate holds over all workers together.
     *
     * Indexes: as for the claim of deliveries.ts, and throttles' key.
     * @param aheadSeconds moments further off than this are left to a later claim
     * @returns in the order in which they start; none when every moment up to then is taken
     */
    async claim(
      endpointId: string,
      options: { lease: string; leaseSeconds: number; aheadSeconds: number; deliveriesMax: number },
    ): Promise<(ClaimedDelivery & { startsInMs: number; steps: Step[] })[]> {
      const rows = await sql<
        (ClaimRow & { starts_in_ms: number; throttles: string[]; steps_ms: number[] })[]
      >`
        with ${heldThrottles(endpointId)},
        -- The slower of the two rates sets the step, the later of the two moments the start.
        pace as materialized (
          select max(next_at) as first_at, max(step) as step, count(*) as held,
                 greatest(0, 1 + floor(extract(epoch from clock_timestamp() + make_interval(secs => ${options.aheadSeconds}) - max(next_at)) / max(step)))::int as free
          from held
        ),
        due as materialized (
          select d.message_id, d.endpoint_id, d.trigger,
                 row_number() over (order by d.priority, d.due_at) - 1 as place
          from (
            select d.* from pace p
            cross join (values (0), (1), (2), (3)) q(priority)
            cross join lateral (
              select d.message_id, d.endpoint_id, d.trigger, d.priority, d.due_at from deliveries d
              where d.endpoint_id = ${endpointId} and d.priority = q.priority and d.priority >= 0 and d.due_at <= now()
              order by d.due_at limit least(p.free, ${options.deliveriesMax}::int)
              for update skip locked
            ) d
            where p.held = (select count(*) from rates)
              -- What stands in line waits for its turn, unless the endpoint is FIFO no more.
              and (q.priority < 3 or (select not fifo from endpoints where id = ${endpointId}))
            limit (select least(free, ${options.deliveriesMax}::int) from pace)
          ) d
        ),
        moved as (
          ${usedUp} (select count(*) as taken from due) n where n.taken > 0 and t.id = h.id
        ),
        claimed as (
          update deliveries d
          set lease = ${options.lease}, due_at = now() + make_interval(secs => ${options.leaseSeconds})
          from due
          where d.message_id = due.message_id and d.endpoint_id = due.endpoint_id and d.trigger = due.trigger
          returning d.message_id, d.endpoint_id, d.trigger, d.org_id, d.app_id, d.attempt, due.place
        )
        select c.message_id, c.endpoint_id, c.trigger, c.org_id, c.app_id, c.attempt,
               (select max(revision) from rates) as revision, false as probe,
               m.payload is null as gone, m.event_type, m.channels, m.tags, m.payload, m.content_type,
               greatest(0, 1000 * extract(epoch from p.first_at - clock_timestamp()) + 1000 * p.step * c.place)::float8
                 as starts_in_ms,
               array(select id from held order by id) as throttles,
               array(select (1000 * step)::float8 from held order by id) as steps_ms
        from claimed c cross join pace p left join messages m on m.id = c.message_id
        order by c.place`;
      return rows.map((row) => ({
        ...toClaimed(row),
        startsInMs: row.starts_in_ms,
        steps: row.throttles.map((id, n) => ({ id, ms: Number(row.steps_ms[n]) })),
      }));
    },
  };
}

export type ThrottlesRepo = ReturnType<typeof createThrottlesRepo>;
