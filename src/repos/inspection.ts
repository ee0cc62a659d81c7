import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** What waits in the queue, of everybody, of an application or for an endpoint. Times in seconds. */
export type QueueCounts = {
  queued: number;
  /** Of those: could be sent now, is being sent, was tried before, is sent anew by a replay. */
  due: number;
  sending: number;
  retries: number;
  bulk: number;
  /** Held by a lease that has run out. */
  abandoned: number;
  oldestDueSeconds: number | null;
};
export type QueueRow = QueueCounts & {
  orgId: string | null;
  appId: string | null;
  appUid: string | null;
  endpointId: string | null;
  endpointUid: string | null;
  url: string | null;
  disabled: boolean;
  breaker: "closed" | "open" | "probing";
};
/** `parent`: of a partition. `rows` as the planner estimates them; null before it has looked. */
export type RelationSize = { name: string; parent: string | null; bytes: number; rows: number | null };
export type ServerState = {
  version: string;
  inRecovery: boolean;
  clockMs: number;
  connections: number;
  connectionsMax: number;
};
export type Overdue = Pick<QueueCounts, "due" | "sending" | "abandoned"> & {
  endpoints: number;
  oldestSeconds: number | null;
};
export type WorkerSeen = { id: string; seenSecondsAgo: number };

const seconds = (interval: ReturnType<typeof sql>) => sql`extract(epoch from ${interval})::float8`;

/** For operators, who look at all tenants. */
export function createInspectionRepo(db: Db | Tx) {
  return {
    /**
     * In all (no `appId`), and for the applications and endpoints that have most due, the first first.
     * No index: it reads the queue once.
     */
    async queue(top: number): Promise<QueueRow[]> {
      const rows = await db.execute<QueueRow>(sql`
        -- By endpoint first: few groups, which are hashed. Grouping sets over the queue itself would sort all of it.
        with by_endpoint as materialized (
          select min(d.org_id) as org_id, d.app_id, d.endpoint_id, count(*) as queued, count(d.lease) as sending,
                 count(*) filter (where d.lease is null and d.due_at <= now()) as due,
                 count(*) filter (where d.attempt > 0) as retries,
                 count(*) filter (where d.priority = 2) as bulk,
                 count(*) filter (where d.lease is not null and d.due_at < now()) as abandoned,
                 min(d.due_at) filter (where d.lease is null and d.due_at <= now()) as oldest
          from deliveries d
          group by d.app_id, d.endpoint_id
        ),
        counted as (
          select grouping(app_id, endpoint_id) as level, min(org_id) as org_id, app_id, endpoint_id,
                 coalesce(sum(queued), 0) as queued, coalesce(sum(sending), 0) as sending,
                 coalesce(sum(due), 0) as due, coalesce(sum(retries), 0) as retries, coalesce(sum(bulk), 0) as bulk,
                 coalesce(sum(abandoned), 0) as abandoned, min(oldest) as oldest
          from by_endpoint
          group by grouping sets ((), (app_id), (app_id, endpoint_id))
        ),
        placed as (
          select *, row_number() over (partition by level order by due desc, queued desc, app_id, endpoint_id) as place
          from counted
        )
        select case when p.level < 3 then p.org_id end as "orgId", p.app_id as "appId", a.uid as "appUid",
               p.endpoint_id as "endpointId", e.uid as "endpointUid", e.url,
               coalesce(e.disabled or e.deleted_at is not null, false) as disabled,
               case when h.open_until is null then 'closed' when h.open_until > now() then 'open' else 'probing' end as breaker,
               p.queued::float8 as queued, p.due::float8 as due, p.sending::float8 as sending,
               p.retries::float8 as retries, p.bulk::float8 as bulk, p.abandoned::float8 as abandoned,
               ${seconds(sql`now() - p.oldest`)} as "oldestDueSeconds"
        from placed p
        left join applications a on a.id = p.app_id
        left join endpoints e on e.id = p.endpoint_id
        left join endpoint_health h on h.endpoint_id = p.endpoint_id
        where p.place <= ${top}
        order by p.level desc, p.place`);
      return [...rows];
    },

    /** Endpoints that have failed since their last success, and those of them that nothing is sent to for now. */
    async breakers(): Promise<{ failing: number; open: number }> {
      const [row] = await db.execute<{ failing: number; open: number }>(sql`
        select count(*)::int as failing, count(*) filter (where open_until > now())::int as open from endpoint_health`);
      return row ?? { failing: 0, open: 0 };
    },

    /** The server, its clock in Unix milliseconds, and how many connections it has. */
    async server(): Promise<ServerState> {
      const [row] = await db.execute<ServerState>(sql`
        select current_setting('server_version') as version, pg_is_in_recovery() as "inRecovery",
               current_setting('max_connections')::int as "connectionsMax",
               (select count(*) from pg_stat_activity where backend_type = 'client backend')::int as connections,
               (extract(epoch from clock_timestamp()) * 1000)::float8 as "clockMs"`);
      return row as ServerState;
    },

    /** What decides whether a commit survives a crash. */
    async settings(): Promise<Record<string, string>> {
      const [row] = await db.execute<Record<string, string>>(sql`
        select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
               current_setting('synchronous_commit') as synchronous_commit`);
      return { ...row };
    },

    /** The transaction that has been open longest in this database, this one aside. */
    async oldestTransaction(): Promise<{ pid: number; application: string; seconds: number } | null> {
      const [row] = await db.execute<{ pid: number; application: string; seconds: number }>(sql`
        select pid, application_name as application, ${seconds(sql`clock_timestamp() - xact_start`)} as seconds
        from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and xact_start is not null
          and pid <> pg_backend_pid()
        order by xact_start limit 1`);
      return row ?? null;
    },

    /**
     * What is due, and those endpoints that something has been due for so long while nothing is being sent to them,
     * though nothing holds it back: no breaker, no throttle. No index: it reads the queue once.
     */
    async overdue(afterSeconds: number): Promise<Overdue> {
      const [row] = await db.execute<Overdue>(sql`
        with counted as materialized (
          select endpoint_id, app_id, count(*) filter (where lease is null and due_at <= now()) as due,
                 count(*) filter (where lease is not null and due_at >= now()) as sending,
                 count(*) filter (where lease is not null and due_at < now()) as abandoned,
                 min(due_at) filter (where lease is null) as oldest
          from deliveries group by endpoint_id, app_id
        ),
        waiting as (
          select c.oldest from counted c
          join endpoints e on e.id = c.endpoint_id
          join applications a on a.id = c.app_id
          left join endpoint_health h on h.endpoint_id = c.endpoint_id
          where c.sending = 0 and c.oldest < now() - make_interval(secs => ${afterSeconds})
            and e.throttle_rate is null and a.throttle_rate is null and h.open_until is null
        )
        select coalesce(sum(due), 0)::float8 as due, coalesce(sum(sending), 0)::float8 as sending,
               coalesce(sum(abandoned), 0)::float8 as abandoned,
               (select count(*) from waiting)::int as endpoints,
               (select ${seconds(sql`now() - min(oldest)`)} from waiting) as "oldestSeconds"
        from counted`);
      return row as Overdue;
    },

    /** How long ago each schedule ran last; null when that run failed. */
    async schedules(): Promise<{ name: string; seconds: number | null }[]> {
      const rows = await db.execute<{ name: string; seconds: number | null }>(sql`
        select name, case when last_run_at > '-infinity' then ${seconds(sql`now() - last_run_at`)} end as seconds
        from schedules order by name`);
      return [...rows];
    },

    /** Running tasks that nobody has worked on for so long; backfills are their scripts'. Index: background_tasks_open. */
    async idleTasks(forSeconds: number): Promise<{ tasks: number; backfills: number }> {
      const [row] = await db.execute<{ tasks: number; backfills: number }>(sql`
        select count(*) filter (where kind <> 'endpoint.backfill')::int as tasks,
               count(*) filter (where kind = 'endpoint.backfill')::int as backfills
        from background_tasks
        where status = 'running' and updated_at < now() - make_interval(secs => ${forSeconds})
          and (leased_until is null or leased_until < now())`);
      return row ?? { tasks: 0, backfills: 0 };
    },

    /** How many secrets each key has sealed; null for those in the clear. Reads all of them. */
    async secretsByKey(): Promise<{ keyId: string | null; secrets: number }[]> {
      const rows = await db.execute<{ keyId: string | null; secrets: number }>(sql`
        select case when secret like 'enc:v1:%' then split_part(secret, ':', 3) end as "keyId", count(*)::int as secrets
        from endpoint_secrets group by 1`);
      return [...rows];
    },

    async workers(): Promise<WorkerSeen[]> {
      const rows = await db.execute<WorkerSeen>(sql`
        select id, ${seconds(sql`clock_timestamp() - seen_at`)} as "seenSecondsAgo" from workers order by seen_at desc, id`);
      return [...rows];
    },

    /** Index: messages_pkey, of what came since that id only. */
    async countMessages(fromId: string): Promise<number> {
      const [row] = await db.execute<{ count: number }>(
        sql`select count(*)::float8 as count from messages where id >= ${fromId}`,
      );
      return row?.count ?? 0;
    },

    /**
     * The attempts since an id. Indexes: attempts_endpoint and attempts_unsuccessful, a few descents for each endpoint that
     * was sent something since the other id, which is the first of a partition.
     */
    async countAttempts(fromId: string, partitionId: string): Promise<{ made: number; failed: number }> {
      const [row] = await db.execute<{ made: number; failed: number }>(sql`
        with recursive walk(endpoint_id) as (
          (select endpoint_id from attempts where id >= ${partitionId} order by endpoint_id limit 1)
          union all
          select next.endpoint_id
          from walk w cross join lateral (
            select a.endpoint_id from attempts a
            where a.endpoint_id > w.endpoint_id and a.id >= ${partitionId} order by a.endpoint_id limit 1
          ) next
        )
        select coalesce(sum(made.n - canceled.n), 0)::float8 as made, coalesce(sum(failed.n), 0)::float8 as failed
        from walk w
        cross join lateral (
          select count(*) as n from attempts where endpoint_id = w.endpoint_id and id >= ${fromId}
        ) made
        cross join lateral (
          select count(*) as n from attempts where endpoint_id = w.endpoint_id and id >= ${fromId} and status = 2
        ) failed
        cross join lateral (
          select count(*) as n from attempts where endpoint_id = w.endpoint_id and id >= ${fromId} and status = 4
        ) canceled`);
      return row ?? { made: 0, failed: 0 };
    },

    /** Every table and partition with its indexes, the largest first. Reads the catalogue only. */
    async sizes(): Promise<RelationSize[]> {
      const rows = await db.execute<RelationSize>(sql`
        select c.relname as name, p.relname as parent, pg_total_relation_size(c.oid)::float8 as bytes,
               case when pg_relation_size(c.oid) = 0 then 0 when c.reltuples >= 0 then c.reltuples end::float8 as rows
        from pg_class c
        left join pg_inherits i on i.inhrelid = c.oid
        left join pg_class p on p.oid = i.inhparent
        where c.relkind = 'r' and c.relnamespace = (select relnamespace from pg_class where oid = 'messages'::regclass)
        order by bytes desc, c.relname`);
      return [...rows];
    },
  };
}
