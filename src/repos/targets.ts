import type { Sql } from "postgres";

/** What a worker must know of an endpoint to deliver to it, as of one revision. */
export type TargetRow = {
  id: string;
  revision: number;
  url: string;
  headers: Record<string, string>;
  /** Null for the server's. */
  deliveryTimeoutMs: number | null;
  /** Null for the event type's, or else the server's. */
  retrySchedule: number[] | null;
  /** Newest first; sealed when an encryption key is in use. */
  secrets: { secret: string; expiresAt: Date | null }[];
};

/** @param sql a connection whose planner settings keep small tables from being scanned (see database.ts) */
export function createTargetsRepo(sql: Sql) {
  return {
    /** The endpoints with these ids, as they are now. Indexes: endpoints' key, endpoint_secrets_endpoint. */
    async load(ids: string[]): Promise<TargetRow[]> {
      const rows = await sql<
        {
          id: string;
          revision: string;
          url: string;
          headers: Record<string, string>;
          delivery_timeout_ms: number | null;
          retry_schedule: number[] | null;
          secret: string;
          expires_at: Date | null;
        }[]
      >`
        select e.id, e.revision, e.url, e.headers, e.delivery_timeout_ms, e.retry_schedule, s.secret, s.expires_at
        from endpoints e join endpoint_secrets s on s.endpoint_id = e.id
        where e.id = any(${ids}::text[]) and (s.expires_at is null or s.expires_at > now())
        order by e.id, s.id desc`;
      const targets = new Map<string, TargetRow>();
      for (const row of rows) {
        const target = targets.get(row.id) ?? {
          id: row.id,
          revision: Number(row.revision),
          url: row.url,
          headers: row.headers,
          deliveryTimeoutMs: row.delivery_timeout_ms,
          retrySchedule: row.retry_schedule,
          secrets: [],
        };
        target.secrets.push({ secret: row.secret, expiresAt: row.expires_at });
        targets.set(row.id, target);
      }
      return [...targets.values()];
    },
  };
}

export type TargetsRepo = ReturnType<typeof createTargetsRepo>;
