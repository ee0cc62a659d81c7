import { idBound } from "../lib/ids.ts";
import type { Repos } from "../repos/index.ts";

const dayMs = 86_400_000;
/** Short enough that a batch holds nobody up. */
const batchSize = 1_000;
const idempotencySeconds = 12 * 3600;

export type RetentionContext = {
  repos: Repos;
  /** How long messages and attempts are kept. */
  retentionDays: number;
  now: Date;
  /** Between batches. */
  signal: AbortSignal;
  /** Called with what a batch has done: tells of it, or waits before the next. */
  pace?: (rows: number) => Promise<void>;
};

/** How long it is known who did what, and which sessions were ended: longer than any session's token lives. */
const recordDays = 365;

/** The messages from before so many days: what is dropped or expunged ends there. */
export const oldestMessage = (now: Date, days: number): string =>
  idBound("msg_", now.getTime() - days * dayMs);

/** Payloads whose own time is over. */
export const expungePayloads = (ctx: RetentionContext) =>
  inBatches(ctx, () => ctx.repos.retention.expungePayloads(batchSize));

/** Payloads older than so many days, whatever their own time. Those of messages that are to be sent later stay. */
export async function expungeOlderPayloads(ctx: RetentionContext, days: number): Promise<number> {
  const beforeId = oldestMessage(ctx.now, days);
  let expunged = 0;
  for (let afterId: string | null = idBound("msg_", 0); afterId !== null && !ctx.signal.aborted; ) {
    const step = await ctx.repos.retention.expungeNext({ afterId, beforeId, limit: batchSize });
    afterId = step.lastId;
    expunged += step.expunged;
    if (step.expunged > 0) await ctx.pace?.(step.expunged);
  }
  return expunged;
}

export const deleteIdempotencyKeys = (ctx: RetentionContext) =>
  inBatches(ctx, () => ctx.repos.retention.deleteIdempotencyKeys(idempotencySeconds, batchSize));

/** An eventId is free again once its message is past the retention. */
export function deleteEventIds(ctx: RetentionContext): Promise<number> {
  const oldest = oldestMessage(ctx.now, ctx.retentionDays);
  return inBatches(ctx, () => ctx.repos.retention.deleteEventIds(oldest, batchSize));
}

/** Secrets that were rotated out and sign no more. */
export const deleteExpiredSecrets = (ctx: RetentionContext) =>
  inBatches(ctx, () => ctx.repos.retention.deleteExpiredSecrets(batchSize));

/** Revoked tokens that have expired by themselves since. */
export const deleteRevokedTokens = (ctx: RetentionContext) =>
  inBatches(ctx, () => ctx.repos.retention.deleteRevokedTokens(batchSize));

/** Ends of sessions whose tokens have expired by themselves long since. Those of whole applications stay: they are few. */
export const deleteSessionEnds = (ctx: RetentionContext) =>
  inBatches(ctx, () => ctx.repos.retention.deleteSessionEnds(recordDays, batchSize));

/** Background tasks that have come to their end, kept as long as the history. */
export function deleteEndedTasks(ctx: RetentionContext): Promise<number> {
  const oldest = idBound("qtask_", ctx.now.getTime() - ctx.retentionDays * dayMs);
  return inBatches(ctx, () => ctx.repos.retention.deleteEndedTasks(oldest, batchSize));
}

export const deleteAuditEntries = (ctx: RetentionContext) =>
  inBatches(ctx, () => ctx.repos.retention.deleteAuditEntries(recordDays, batchSize));

async function inBatches({ signal, pace }: RetentionContext, batch: () => Promise<number>): Promise<number> {
  for (let total = 0; ; ) {
    const count = await batch();
    total += count;
    if (count > 0) await pace?.(count);
    if (count < batchSize || signal.aborted) return total;
  }
}
