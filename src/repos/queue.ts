import { and, count, eq, gte, lt, sql } from "drizzle-orm";
import { deliveries, priorities, triggers } from "../models/deliveries.ts";
import { turns } from "../models/turns.ts";
import type { Db, Tx } from "./db.ts";

/** Where workers hear that something is due that nobody holds. */
export const dueChannel = "posthorn_due";

type RemovedRow = { endpoint_id: string; trigger: number; attempt: number; leased: boolean; url: string };

/** The queue as the API sees it; what workers do with it stands in deliveries.ts and outcomes.ts. */
export function createQueueRepo(db: Db | Tx) {
  return {
    /**
     * Asks for a delivery beside whatever is planned, due at once. One that was asked for before and has not started is
     * brought forward; one under way is left alone. Index: the key.
     */
    async insertManual(row: {
      orgId: string;
      appId: string;
      messageId: string;
      endpointId: string;
    }): Promise<void> {
      await db
        .insert(deliveries)
        .values({ ...row, trigger: triggers.manual, priority: priorities.fresh, dueAt: sql`now()` })
        .onConflictDoUpdate({
          target: [deliveries.messageId, deliveries.endpointId, deliveries.trigger],
          set: { priority: priorities.fresh, dueAt: sql`now()` },
          setWhere: sql`${deliveries.lease} is null`,
        });
    },

    /** Queues a message that nobody else has queued, due at once; at a FIFO endpoint behind all others. */
    async insertFresh(
      row: { orgId: string; appId: string; messageId: string; endpointId: string },
      fifo: boolean,
    ): Promise<void> {
      await db.insert(deliveries).values({
        ...row,
        trigger: triggers.scheduled,
        dueAt: sql`now()`,
        ...(fifo && { priority: priorities.inLine, position: sql`nextval('delivery_positions')` }),
      });
    },

    /** What an endpoint needs before it is FIFO: workers take turns at it. */
    async openLine(orgId: string, endpointId: string): Promise<void> {
      await db.insert(turns).values({ orgId, endpointId }).onConflictDoNothing();
    },

    /**
     * Takes out what waits of a message, also what a worker has under a lease: that one's outcome only adds to the
     * history then. Indexes: the keys of deliveries and endpoints.
     */
    async remove(
      { orgId, appId, messageId }: { orgId: string; appId: string; messageId: string },
      endpointIds: string[] | null,
    ): Promise<{ endpointId: string; trigger: number; attempt: number; leased: boolean; url: string }[]> {
      const rows = await db.execute<RemovedRow>(sql`
        delete from deliveries d using endpoints e
        where d.message_id = ${messageId} and d.org_id = ${orgId} and d.app_id = ${appId}
          and ${endpointIds === null ? sql`true` : sql`d.endpoint_id = any(${sql.param(endpointIds)}::text[])`}
          and e.id = d.endpoint_id
        returning d.endpoint_id, d.trigger, d.attempt, d.lease is not null as leased, e.url`);
      return rows.map(({ endpoint_id: endpointId, ...row }) => ({ ...row, endpointId }));
    },

    /** Tells the workers that something is due, once the transaction commits. */
    async notify(): Promise<void> {
      await db.execute(sql`select pg_notify(${dueChannel}, '')`);
    },

    /** How many messages out of a range of ids wait for an endpoint, and are being sent. Index: deliveries_claim. */
    async count(endpointId: string, from: string, to: string): Promise<{ pending: number; sending: number }> {
      const [row] = await db
        .select({ all: count(), sending: count(deliveries.lease) })
        .from(deliveries)
        .where(
          and(
            eq(deliveries.endpointId, endpointId),
            gte(deliveries.priority, 0),
            gte(deliveries.messageId, from),
            lt(deliveries.messageId, to),
          ),
        );
      const { all, sending } = row ?? { all: 0, sending: 0 };
      return { pending: all - sending, sending };
    },
  };
}
