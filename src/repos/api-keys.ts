import { and, eq, isNull, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type ApiKey, apiKeys, type NewApiKey } from "../models/api-keys.ts";
import { type Db, keyset, type Tx } from "./db.ts";

/** A single key is found by its key, or by api_keys_token_hash. */
export function createApiKeysRepo(db: Db | Tx) {
  const live = (orgId: string) => and(eq(apiKeys.orgId, orgId), isNull(apiKeys.revokedAt));
  const one = (orgId: string, id: string) => and(live(orgId), eq(apiKeys.id, id));

  return {
    async insert(row: NewApiKey): Promise<ApiKey> {
      const [inserted] = await db.insert(apiKeys).values(row).returning();
      return inserted as ApiKey;
    },

    async find(orgId: string, id: string): Promise<ApiKey | null> {
      const [row] = await db.select().from(apiKeys).where(one(orgId, id));
      return row ?? null;
    },

    /** The key that a token belongs to, revoked or expired though it may be. Of whatever org: that is what is asked. */
    async findByHash(tokenHash: string): Promise<ApiKey | null> {
      const [row] = await db.select().from(apiKeys).where(eq(apiKeys.tokenHash, tokenHash));
      return row ?? null;
    },

    /** Index: api_keys_org. */
    async list(orgId: string, request: PageRequest): Promise<ApiKey[]> {
      const { past, order } = keyset(apiKeys.id, request);
      return db
        .select()
        .from(apiKeys)
        .where(and(live(orgId), past))
        .orderBy(order)
        .limit(request.limit + 1);
    },

    /** Ends it for good. */
    async revoke(orgId: string, id: string): Promise<boolean> {
      const rows = await db
        .update(apiKeys)
        .set({ revokedAt: sql`now()`, changedAt: sql`clock_timestamp()` })
        .where(one(orgId, id))
        .returning({ id: apiKeys.id });
      return rows.length > 0;
    },

    /** Lets it end so many seconds from now, unless it ends before. */
    async expire(orgId: string, id: string, seconds: number): Promise<boolean> {
      const rows = await db
        .update(apiKeys)
        .set({
          expiresAt: sql`least(${apiKeys.expiresAt}, now() + make_interval(secs => ${seconds}))`,
          changedAt: sql`clock_timestamp()`,
        })
        .where(one(orgId, id))
        .returning({ id: apiKeys.id });
      return rows.length > 0;
    },

    /** Writes down when keys were used last. */
    async noteUses(uses: { id: string; usedAt: Date }[]): Promise<void> {
      await db.execute(sql`
        update api_keys k set last_used_at = greatest(k.last_used_at, u.used_at::timestamptz)
        from unnest(${sql.param(uses.map(({ id }) => id))}::text[],
                    ${sql.param(uses.map(({ usedAt }) => usedAt.toISOString()))}::text[]) as u(id, used_at)
        where k.id = u.id`);
    },
  };
}
