import { and, eq, lt, sql } from "drizzle-orm";
import { revokedTokens, sessionEnds } from "../models/revocations.ts";
import type { Db, Tx } from "./db.ts";

/** Where processes hear of what they must forget: the id of a key, a token or an application, or a token's hash. */
export const revocationChannel = "posthorn_revoked";

export type AppTokenQuery = { appId: string; sessionId: string; issuedAt: Date };

export function createRevocationsRepo(db: Db | Tx) {
  return {
    /** Whether that very token was revoked. Index: the key. */
    async isRevoked(tokenHash: string): Promise<boolean> {
      const rows = await db
        .select({ one: sql`1` })
        .from(revokedTokens)
        .where(eq(revokedTokens.tokenHash, tokenHash));
      return rows.length > 0;
    },

    /** When tokens of an application's session, issued then, end by decree; null when they don't. Index: session_ends_app. */
    async sessionEnd(query: AppTokenQuery): Promise<Date | null> {
      const [row] = await db.execute<{ ends_at_ms: number | null }>(sql`
        select (extract(epoch from min(ends_at)) * 1000)::float8 as ends_at_ms from session_ends
        where app_id = ${query.appId} and session_id = any(${sql.param(["", query.sessionId])}::text[])
          and issued_until >= ${query.issuedAt.toISOString()}::timestamptz`);
      return row?.ends_at_ms == null ? null : new Date(row.ends_at_ms);
    },

    async revokeToken(row: { tokenHash: string; orgId: string; expiresAt: Date | null }): Promise<void> {
      await db.insert(revokedTokens).values(row).onConflictDoNothing();
    },

    /** Every token issued up to now ends then. Ends that this one comes before say nothing any more. */
    async endSession(row: {
      orgId: string;
      appId: string;
      sessionId: string;
      issuedUntil: Date;
      endsAt: Date;
    }): Promise<void> {
      await db
        .delete(sessionEnds)
        .where(
          and(
            eq(sessionEnds.appId, row.appId),
            eq(sessionEnds.sessionId, row.sessionId),
            lt(sessionEnds.issuedUntil, row.issuedUntil),
            sql`${sessionEnds.endsAt} >= ${row.endsAt.toISOString()}::timestamptz`,
          ),
        );
      await db.insert(sessionEnds).values(row);
    },

    /** Tells every process to forget what it knows of a subject, once the transaction commits. */
    async announce(subject: string): Promise<void> {
      await db.execute(sql`select pg_notify(${revocationChannel}, ${subject})`);
    },

    /**
     * What changed in the last so many seconds, by the database's clock.
     * Indexes: api_keys_changed, revoked_tokens_revoked, integrations_updated, poller_tokens_updated,
     * session_ends_created.
     */
    async changedWithin(seconds: number): Promise<string[]> {
      const since = sql`now() - make_interval(secs => ${seconds})`;
      const rows = await db.execute<{ subject: string }>(sql`
        select id as subject from api_keys where changed_at > ${since}
        union all select token_hash from revoked_tokens where revoked_at > ${since}
        union all select id from integrations where updated_at > ${since}
        union all select id from poller_tokens where updated_at > ${since}
        union all select distinct app_id from session_ends where created_at > ${since}`);
      return rows.map(({ subject }) => subject);
    },
  };
}
