import { idBound } from "../lib/ids.ts";
import type { OperatorContext } from "./context.ts";
import { dropPartition, oldPartitions } from "./partitions.ts";
import { deleteEventIds, expungeOlderPayloads, expungePayloads, oldestMessage } from "./retention.ts";

export type PurgeRequest = {
  now: Date;
  /** Messages and attempts older than so many days go, in whole weeks. */
  historyDays: number;
  /** Payloads older than so many days go even before their own time; null for none of them. */
  payloadDays: number | null;
};

/** What there is to purge. Sizes in bytes. */
export type PurgePlan = {
  partitions: { name: string; bytes: number }[];
  payloads: number;
  eventIds: number;
};

export async function planPurge({ repos }: OperatorContext, request: PurgeRequest): Promise<PurgePlan> {
  const { now, historyDays, payloadDays } = request;
  const names = new Set(await oldPartitions(repos, { days: historyDays, now }));
  const sizes = await repos.inspection.sizes();
  const partitions = sizes.filter(({ name }) => names.has(name));
  const [expired, eventIds] = [
    await repos.retention.countExpiredPayloads(),
    await repos.retention.countEventIds(oldestMessage(now, historyDays)),
  ];
  if (payloadDays === null) return { partitions, payloads: expired, eventIds };
  const older = await repos.retention.countPayloads(idBound("msg_", 0), oldestMessage(now, payloadDays));
  return { partitions, payloads: expired + older, eventIds };
}

/** Writes down that somebody purges. */
export const announcePurge = (ctx: OperatorContext, request: PurgeRequest): Promise<void> => {
  const { historyDays, payloadDays } = request;
  return ctx.repos.auditLog.insert({
    actor: ctx.actor,
    action: "history.purge",
    detail: { historyDays, payloadDays },
  });
};

/**
 * Drops the partitions that are past the retention, frees the eventIds of their messages and expunges payloads, in
 * batches. It can stop anywhere; run again, it goes on with what is left.
 * @param pace called after each batch with how many rows it had; 0 for a partition
 */
export async function purge(
  { repos }: OperatorContext,
  request: PurgeRequest,
  {
    signal,
    pace,
    dropped,
  }: {
    signal: AbortSignal;
    pace: (rows: number) => Promise<void>;
    dropped: (partition: string) => void;
  },
): Promise<{ partitions: number; eventIds: number; payloads: number }> {
  const { now, historyDays, payloadDays } = request;
  const ctx = { repos, now, retentionDays: historyDays, signal, pace };
  const counts = { partitions: 0, eventIds: 0, payloads: 0 };
  for (const name of await oldPartitions(repos, { days: historyDays, now })) {
    if (signal.aborted) return counts;
    if (!(await dropPartition(repos, name))) continue;
    counts.partitions += 1;
    dropped(name);
  }
  if (!signal.aborted) counts.eventIds += await deleteEventIds(ctx);
  if (!signal.aborted) counts.payloads += await expungePayloads(ctx);
  if (!signal.aborted && payloadDays !== null)
    counts.payloads += await expungeOlderPayloads(ctx, payloadDays);
  return counts;
}
