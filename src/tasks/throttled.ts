import type { ThrottlesRepo } from "../repos/throttles.ts";
import type { Delivery } from "../services/delivery.ts";
import type { Returns } from "./returns.ts";

export type Throttled = {
  /** Takes what of an endpoint may start soon, and starts each at its moment. */
  claim(endpointId: string): Promise<void>;
  /** Starts nothing more. Returns those whose moment has not come. */
  cancel(): Delivery[];
};

export type ThrottledOptions = {
  throttles: ThrottlesRepo;
  returns: Returns;
  /** A lease for the next claim, and how long it holds. */
  nextLease(): string;
  leaseMs: number;
  deliveriesMax: number;
  start(delivery: Delivery): void;
  drop(delivery: Delivery): Promise<void>;
  /** There may be more to claim by then. */
  claimAgainIn(ms: number): void;
};

/** How far ahead the moments are taken: the claim comes again at half of it. */
const aheadSeconds = 1;
/** The step of the smallest throttleRate, one a second. */
const stepMsMax = 1_000;

/** Deliveries of endpoints with a `throttleRate`: the database gives each its moment, and here they wait for it. */
export function createThrottled(options: ThrottledOptions): Throttled {
  const later = new Map<Timer, Delivery>();
  /** By endpoint, the oldest first; those that no step reaches back to any more are forgotten. */
  const lastStarts = new Map<string, number>();
  const noteStart = (endpointId: string): void => {
    const now = performance.now();
    lastStarts.delete(endpointId);
    lastStarts.set(endpointId, now);
    for (const [id, at] of lastStarts) {
      if (now - at <= stepMsMax) break;
      lastStarts.delete(id);
    }
  };

  const startLater = (delivery: Delivery, inMs: number, stepMs: number): void => {
    const timer = setTimeout(() => {
      later.delete(timer);
      // After a stall of this process many are late: they still go out one step apart.
      const lastStart = lastStarts.get(delivery.endpointId) ?? Number.NEGATIVE_INFINITY;
      const earlyMs = lastStart + stepMs - performance.now();
      if (earlyMs > 1) return startLater(delivery, earlyMs, stepMs);
      noteStart(delivery.endpointId);
      options.start(delivery);
    }, inMs);
    later.set(timer, delivery);
  };

  return {
    async claim(endpointId) {
      const lease = options.nextLease();
      const leaseEndsAt = performance.now() + options.leaseMs;
      const claimed = await options.returns.claimUnder(lease, () =>
        options.throttles.claim(endpointId, {
          lease,
          leaseSeconds: options.leaseMs / 1000,
          aheadSeconds,
          deliveriesMax: options.deliveriesMax,
        }),
      );
      for (const { startsInMs, stepMs, ...delivery } of claimed) {
        const held = { ...delivery, lease, leaseEndsAt };
        if (delivery.gone) await options.drop(held);
        else startLater(held, startsInMs, stepMs);
      }
      if (claimed.length > 0) options.claimAgainIn((aheadSeconds * 1000) / 2);
    },
    cancel() {
      for (const timer of later.keys()) clearTimeout(timer);
      const unstarted = [...later.values()];
      later.clear();
      return unstarted;
    },
  };
}
