import { statementTimeoutMs } from "../lib/deadline.ts";
import type { ClaimedDelivery, DeliveriesRepo, DeliveryKey } from "../repos/deliveries.ts";

/** What this worker holds in the queue and won't deliver. */
export type Returns = {
  /** Deliveries that it won't start: others may at once. */
  add(keys: readonly DeliveryKey[]): void;
  /** A delivery that could not be started, for a reason that may last: it waits a while. */
  addFailed(key: DeliveryKey): void;
  /** The lease of a statement whose end is not known: it may have been committed. */
  addLease(lease: string): void;
  /**
   * Runs a statement that takes deliveries under a lease, and drops those of them that are gone. All of it is given
   * back unless both end well.
   * @param takenOf the deliveries in what the statement returned
   */
  claimUnder<T>(
    lease: string,
    claim: () => Promise<T>,
    takenOf: (claimed: T) => ClaimedDelivery[],
  ): Promise<T>;
  /**
   * Makes all of it due again. What the database would not take is tried again by the next call, and what it may have
   * committed since by later ones.
   */
  giveBack(): Promise<void>;
};

/**
 * When the lease of a statement whose end is not known is freed, in milliseconds from the first time on. A server whose
 * client is gone notices late: what it was at is committed still, perhaps after the first time, at most until it times out.
 */
const freeAgainMs = [1_000, 4_000, statementTimeoutMs + 1_000] as const;
/** Long enough that a secret that can't be opened, say, doesn't keep a worker busy with nothing else. */
const failedAfterSeconds = 10;

export function createReturns(
  deliveries: Pick<DeliveriesRepo, "drop" | "release" | "releaseLeases">,
  now = () => performance.now(),
): Returns {
  const waiting: DeliveryKey[] = [];
  const failed: DeliveryKey[] = [];
  const leases = new Set<string>();
  /** Those that were freed once, and when they are freed again. */
  const doubtful: { lease: string; atMs: number }[] = [];
  const release = async (list: DeliveryKey[], afterSeconds: number): Promise<void> => {
    const keys = list.splice(0);
    try {
      await deliveries.release(keys, afterSeconds);
    } catch (error) {
      list.push(...keys);
      throw error;
    }
  };
  return {
    add: (keys) => void waiting.push(...keys),
    addFailed: (key) => void failed.push(key),
    addLease: (lease) => void leases.add(lease),
    async claimUnder(lease, claim, takenOf) {
      leases.add(lease);
      const claimed = await claim();
      const gone = takenOf(claimed).filter((delivery) => delivery.gone);
      await deliveries.drop(gone.map((delivery) => ({ ...delivery, lease })));
      leases.delete(lease);
      return claimed;
    },
    async giveBack() {
      await release(waiting, 0);
      await release(failed, failedAfterSeconds);
      for (const lease of leases) {
        await deliveries.releaseLeases({ from: lease, to: lease });
        leases.delete(lease);
        doubtful.push(...freeAgainMs.map((afterMs) => ({ lease, atMs: now() + afterMs })));
      }
      for (const [n, { lease, atMs }] of [...doubtful.entries()].reverse()) {
        if (atMs > now()) continue;
        await deliveries.releaseLeases({ from: lease, to: lease });
        doubtful.splice(n, 1);
      }
    },
  };
}
