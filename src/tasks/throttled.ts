import type { Step, ThrottlesRepo } from "../repos/throttles.ts";
import type { Delivery } from "../services/delivery.ts";
import type { Returns } from "./returns.ts";

export type Throttled = {
  /** Takes what of these endpoints may start soon, and starts each at its moment. */
  claim(endpointIds: string[]): Promise<void>;
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
  /** There may be more to claim by then. */
  claimAgainIn(ms: number): void;
};

/** How far ahead the moments are taken: the claim comes again at half of it. */
const aheadSeconds = 1;
/** The step of the smallest throttleRate, one a second. */
const stepMsMax = 1_000;
/** Endpoints of which it is kept when they were served last. */
const servedMax = 10_000;

/** Deliveries of endpoints with a `throttleRate`: the database gives each its moment, and here they wait for it. */
export function createThrottled(options: ThrottledOptions): Throttled {
  const later = new Map<Timer, Delivery>();
  /** By throttle, the oldest first; those that no step reaches back to any more are forgotten. */
  const lastStarts = new Map<string, number>();
  const noteStart = (steps: Step[]): void => {
    const now = performance.now();
    for (const { id } of steps) {
      lastStarts.delete(id);
      lastStarts.set(id, now);
    }
    for (const [id, at] of lastStarts) {
      if (now - at <= stepMsMax) break;
      lastStarts.delete(id);
    }
  };

  const startLater = (delivery: Delivery, inMs: number, steps: Step[]): void => {
    const timer = setTimeout(() => {
      later.delete(timer);
      // After a stall of this process many are late: they still go out one step apart.
      const earliest = steps.map(({ id, ms }) => (lastStarts.get(id) ?? Number.NEGATIVE_INFINITY) + ms);
      const earlyMs = Math.max(...earliest) - performance.now();
      if (earlyMs > 1) return startLater(delivery, earlyMs, steps);
      noteStart(steps);
      options.start(delivery);
    }, inMs);
    later.set(timer, delivery);
  };

  /** By endpoint, which claim was the last to find something; the oldest first. */
  const served = new Map<string, number>();
  let claims = 0;
  const noteServed = (endpointId: string): void => {
    served.delete(endpointId);
    served.set(endpointId, claims);
    const [oldest] = served.keys();
    if (served.size > servedMax && oldest !== undefined) served.delete(oldest);
  };

  const claimOne = async (endpointId: string): Promise<void> => {
    const lease = options.nextLease();
    const leaseEndsAt = performance.now() + options.leaseMs;
    const claimed = await options.returns.claimUnder(
      lease,
      () =>
        options.throttles.claim(endpointId, {
          lease,
          leaseSeconds: options.leaseMs / 1000,
          aheadSeconds,
          deliveriesMax: options.deliveriesMax,
        }),
      (taken) => taken,
    );
    for (const { startsInMs, steps, ...delivery } of claimed) {
      if (!delivery.gone) startLater({ ...delivery, lease, leaseEndsAt }, startsInMs, steps);
    }
    if (claimed.length === 0) return;
    noteServed(endpointId);
    options.claimAgainIn((aheadSeconds * 1000) / 2);
  };

  return {
    async claim(endpointIds) {
      claims += 1;
      // Endpoints of one application take the same moments: whoever has waited longest comes first.
      const lastServed = (endpointId: string) => served.get(endpointId) ?? 0;
      const inTurn = endpointIds.toSorted((a, b) => lastServed(a) - lastServed(b));
      for (const endpointId of inTurn) await claimOne(endpointId);
    },
    cancel() {
      for (const timer of later.keys()) clearTimeout(timer);
      const unstarted = [...later.values()];
      later.clear();
      return unstarted;
    },
  };
}
