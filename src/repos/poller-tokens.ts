import { and, desc, eq, sql } from "drizzle-orm";
import { type PollerToken, pollerTokens } from "../models/poller-tokens.ts";
import type { Db, Tx } from "./db.ts";

export type PollerScope = { orgId: string; appId: string; endpointId: string };

/** Index of all but `find`, which goes by the key: poller_tokens_endpoint. */
export function createPollerTokensRepo(db: Db | Tx) {
  const at = ({ orgId, appId, endpointId }: PollerScope) =>
    and(
      eq(pollerTokens.orgId, orgId),
      eq(pollerTokens.appId, appId),
      eq(pollerTokens.endpointId, endpointId),
    );
  const good = sql`(${pollerTokens.expiresAt} is null or ${pollerTokens.expiresAt} > now())`;

  return {
    async find(scope: PollerScope, id: string): Promise<PollerToken | null> {
      const [row] = await db
        .select()
        .from(pollerTokens)
        .where(and(at(scope), eq(pollerTokens.id, id)));
      return row ?? null;
    },

    /** The last that was made, unless its time is up. */
    async findCurrent(scope: PollerScope): Promise<PollerToken | null> {
      const [row] = await db
        .select()
        .from(pollerTokens)
        .where(and(at(scope), good))
        .orderBy(desc(pollerTokens.id))
        .limit(1);
      return row ?? null;
    },

    /** @param expiresInSeconds null for never */
    async insert(scope: PollerScope, id: string, expiresInSeconds: number | null): Promise<PollerToken> {
      const expiresAt =
        expiresInSeconds === null ? null : sql`now() + make_interval(secs => ${expiresInSeconds})`;
      const [row] = await db
        .insert(pollerTokens)
        .values({ ...scope, id, expiresAt })
        .returning();
      return row as PollerToken;
    },

    /** Lets those that are good be so for so many seconds more, or less if they end sooner. @returns their ids */
    async expireAll(scope: PollerScope, seconds: number): Promise<string[]> {
      const rows = await db
        .update(pollerTokens)
        .set({
          expiresAt: sql`least(${pollerTokens.expiresAt}, now() + make_interval(secs => ${seconds}))`,
          // Every process forgets what it knows of a token when this moves.
          updatedAt: sql`clock_timestamp()`,
        })
        .where(and(at(scope), good))
        .returning({ id: pollerTokens.id });
      return rows.map(({ id }) => id);
    },

    /** Those that ended a day ago, when no process can remember them any more. */
    async removeEnded(scope: PollerScope): Promise<void> {
      await db
        .delete(pollerTokens)
        .where(and(at(scope), sql`${pollerTokens.expiresAt} < now() - interval '1 day'`));
    },
  };
}
