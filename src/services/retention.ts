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
};

/** Payloads whose own time is over. */
export const expungePayloads = ({ repos, signal }: RetentionContext) =>
  inBatches(signal, () => repos.retention.expungePayloads(batchSize));

export const deleteIdempotencyKeys = ({ repos, signal }: RetentionContext) =>
  inBatches(signal, () => repos.retention.deleteIdempotencyKeys(idempotencySeconds, batchSize));

/** An eventId is free again once its message is past the retention. */
export function deleteEventIds({ repos, signal, now, retentionDays }: RetentionContext): Promise<number> {
  const oldest = idBound("msg_", now.getTime() - retentionDays * dayMs);
  return inBatches(signal, () => repos.retention.deleteEventIds(oldest, batchSize));
}

/** Secrets that were rotated out and sign no more. */
export const deleteExpiredSecrets = ({ repos, signal }: RetentionContext) =>
  inBatches(signal, () => repos.retention.deleteExpiredSecrets(batchSize));

/** Revoked tokens that have expired by themselves since. */
export const deleteRevokedTokens = ({ repos, signal }: RetentionContext) =>
  inBatches(signal, () => repos.retention.deleteRevokedTokens(batchSize));

async function inBatches(signal: AbortSignal, batch: () => Promise<number>): Promise<number> {
  for (let total = 0; ; ) {
    const count = await batch();
    total += count;
    if (count < batchSize || signal.aborted) return total;
  }
}
