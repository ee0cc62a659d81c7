import type { DeliveriesRepo, DeliveryKey } from "../repos/deliveries.ts";

/** What this worker holds in the queue and won't deliver. */
export type Returns = {
  /** Deliveries that it can't or won't start. */
  add(keys: readonly DeliveryKey[]): void;
  /** The lease of a statement whose end is not known: it may have been committed. */
  addLease(lease: string): void;
  /** Runs a statement that takes deliveries under a lease, which is given back unless it ends well. */
  claimUnder<T>(lease: string, claim: () => Promise<T>): Promise<T>;
  /** Makes all of it due again. What the database would not take is tried again by the next call. */
  giveBack(): Promise<void>;
};

export function createReturns(deliveries: Pick<DeliveriesRepo, "release" | "releaseLeases">): Returns {
  const waiting: DeliveryKey[] = [];
  const leases = new Set<string>();
  return {
    add: (keys) => void waiting.push(...keys),
    addLease: (lease) => void leases.add(lease),
    async claimUnder(lease, claim) {
      leases.add(lease);
      const claimed = await claim();
      leases.delete(lease);
      return claimed;
    },
    async giveBack() {
      const keys = waiting.splice(0);
      try {
        await deliveries.release(keys);
      } catch (error) {
        waiting.push(...keys);
        throw error;
      }
      for (const lease of leases) {
        await deliveries.releaseLeases({ from: lease, to: lease });
        leases.delete(lease);
      }
    },
  };
}
