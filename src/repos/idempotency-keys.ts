import { sql } from "drizzle-orm";
import type { Db, Tx } from "./db.ts";

/** `claimed`: it is ours until `lockedUntil`, which names us. Otherwise what another request made of it so far. */
export type Claim =
  | { claimed: true; lockedUntil: string }
  | { claimed: false; bodyHash: string; status: number | null; response: string | null };

type Row = {
  claimed: boolean;
  body_hash: string;
  status: number | null;
  response: string | null;
  locked_until: string;
};

/** Index of all: idempotency_keys_pkey. */
export function createIdempotencyKeysRepo(db: Db | Tx) {
  return {
    /**
     * Takes a key that is new, 12 hours old, or left behind by a process that died. Null when another request took it
     * this very moment: ask again.
     */
    async claim(input: {
      key: string;
      bodyHash: string;
      orgId: string;
      lockSeconds: number;
    }): Promise<Claim | null> {
      const [row] = await db.execute<Row>(sql`
        with mine as (
          insert into idempotency_keys as held (key, body_hash, org_id, locked_until)
          values (${input.key}, ${input.bodyHash}, ${input.orgId}, now() + make_interval(secs => ${input.lockSeconds}))
          on conflict (key) do update set
            body_hash = excluded.body_hash, org_id = excluded.org_id, created_at = now(),
            message_id = null, status = null, response = null, locked_until = excluded.locked_until
          where held.created_at < now() - interval '12 hours'
             or (held.status is null and held.message_id is null and held.locked_until < now())
          returning body_hash, status, response, locked_until::text
        )
        select true as claimed, * from mine
        union all
        select false, body_hash, status, response, locked_until::text from idempotency_keys
        where key = ${input.key} and not exists (select from mine)`);
      if (row === undefined) return null;
      if (row.claimed) return { claimed: true, lockedUntil: row.locked_until };
      return { claimed: false, bodyHash: row.body_hash, status: row.status, response: row.response };
    },

    /** Keeps the answer, unless the key has gone to another request meanwhile. */
    async keep(
      key: string,
      lockedUntil: string,
      answer: { status: number; response: string },
    ): Promise<void> {
      await db.execute(sql`
        update idempotency_keys set status = ${answer.status}, response = ${answer.response}, locked_until = null
        where key = ${key} and locked_until = ${lockedUntil}::timestamptz and status is null`);
    },

    /** Lets the next request with this key run. */
    async release(key: string, lockedUntil: string): Promise<void> {
      await db.execute(sql`
        delete from idempotency_keys
        where key = ${key} and locked_until = ${lockedUntil}::timestamptz and status is null`);
    },
  };
}
