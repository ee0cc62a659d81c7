import { statementDeadlineMs } from "../lib/deadline.ts";
import { Lanes } from "../lib/lanes.ts";
import type { Logger } from "../lib/log.ts";
import { createLoop } from "../lib/loop.ts";
import type { ClaimedDelivery, DeliveriesRepo, DeliveryKey } from "../repos/deliveries.ts";
import type { OutcomesRepo } from "../repos/outcomes.ts";
import { type Delivery, type DeliveryPolicy, deliver, type Judged } from "../services/delivery.ts";
import type { HandOver } from "../services/intake.ts";
import type { AttemptEvents } from "../services/operational-events.ts";
import { createRecorder } from "../services/recorder.ts";
import type { Targets } from "../services/targets.ts";
import { createLeases } from "./leases.ts";

export type DeliverOptions = {
  deliveries: DeliveriesRepo;
  outcomes: OutcomesRepo;
  targets: Targets;
  policy: DeliveryPolicy;
  concurrency: number;
  endpointConcurrency: number;
  disableAfterSeconds: number;
  events: AttemptEvents;
  workerId: string;
  /** Makes the partitions for what is being written now. */
  ensurePartitions(): Promise<void>;
  log: Logger;
};

export type DeliverTask = HandOver & {
  start(): void;
  /** Starts nothing more, hands back what has not started, and waits for what is under way until the signal says stop. */
  stop(deadline: AbortSignal): Promise<void>;
  readonly running: number;
  /** Held here and not started yet. */
  readonly waiting: number;
};

/** How long a claimed delivery may wait here before it starts; past that, others may have it. */
const localWaitMs = 60_000;
/** What may lie ready for each place in flight, of the worker and of an endpoint: a claim should pay, memory should not. */
const backlogPerPlace = 32;
const endpointBacklogPerPlace = 16;
const pollIntervalMs = 1_000;
const claimEndpointsMax = 256;
/** How far ahead the moments of throttled deliveries are taken: the claim comes again at half of it. */
const throttledAheadSeconds = 1;
/** Outcomes that wait for the database before nothing new is taken on. */
const unrecordedMax = 5_000;

/** Delivers what is due: what this process commits itself comes by `take`, everything else by claims. */
export function createDeliverTask(options: DeliverOptions): DeliverTask {
  const { deliveries, outcomes, policy, log } = options;
  const leaseMs = localWaitMs + policy.timeoutMs;
  const leases = createLeases(options.workerId);
  const stopping = new AbortController();
  const giveUp = new AbortController();
  const recorder = createRecorder({
    repo: outcomes,
    log,
    stopping: stopping.signal,
    ensurePartitions: options.ensurePartitions,
    onOpen: (ids) => handBack(ids),
  });
  const backlogMax = options.concurrency * backlogPerPlace;
  const endpointBacklogMax = options.endpointConcurrency * endpointBacklogPerPlace;
  let walkedTo: string | null = null;
  /** Endpoints that may have more due than the last claims took, since they had enough waiting here. */
  let cutShort = new Set<string>();
  /** The last claim took all that fitted. */
  let full = false;
  /** Leases of statements that failed, perhaps after they were committed. */
  const forfeited = new Set<string>();
  /** Deliveries that were to be handed back while the database was away. */
  const unreturned: DeliveryKey[] = [];

  const run = async (delivery: Delivery): Promise<void> => {
    try {
      // Too late to be sure of ending before the lease does: whoever claims it next sends it.
      if (Date.now() > delivery.leaseEndsAt - policy.timeoutMs) return;
      const target = await options.targets.get(delivery.endpointId, delivery.revision);
      if (target === null) return await deliveries.drop([delivery]);
      const judged = await deliver(policy, target, delivery, giveUp.signal);
      if (judged === null) return await deliveries.release([delivery]);
      logAttempt(log, judged);
      void settle(judged);
    } catch (error) {
      const { messageId, endpointId } = delivery;
      log.error({ err: error, messageId, endpointId }, "a delivery could not be started");
      unreturned.push(delivery);
    }
  };

  // Not awaited by `run`: the place is free for the next delivery while the outcome is being committed.
  const settle = async (judged: Judged): Promise<void> => {
    await recorder.record(judged.outcome);
    options.events.attempted(judged.outcome);
    if (judged.outcome.nextAt !== null) return wakeAt(judged.outcome.nextAt);
    if (!judged.outcome.succeeded) await disableIfDue(judged);
  };

  /** After the last attempt: the receiver asked for it, or has failed for too long. */
  const disableIfDue = async ({ outcome, wantsDisabling }: Judged): Promise<void> => {
    const { orgId, endpointId } = outcome;
    try {
      const disabled = wantsDisabling
        ? await outcomes.disableEndpoint(orgId, endpointId)
        : await outcomes.disableIfFailing(orgId, endpointId, options.disableAfterSeconds);
      if (!disabled) return;
      log.warn({ orgId, endpointId, statusCode: outcome.responseStatusCode }, "endpoint disabled");
      options.events.disabled(outcome);
    } catch (error) {
      log.error({ err: error, endpointId }, "an endpoint could not be disabled");
    }
  };

  const lanes = new Lanes<Delivery>({
    concurrency: options.concurrency,
    laneConcurrency: options.endpointConcurrency,
    run,
    onEnd: (endpointId, waiting) => {
      const drained = cutShort.has(endpointId) && waiting <= endpointBacklogMax / 2;
      if (drained || (full && lanes.waiting <= backlogMax / 2)) loop.wake();
    },
  });

  /** What was claimed before a breaker opened waits in the queue like the rest. */
  const handBack = (endpointIds: string[]): void => {
    unreturned.push(...endpointIds.flatMap((id) => lanes.empty(id)));
    loop.wake();
  };

  const push = (delivery: Delivery): void => lanes.push(delivery.appId, delivery.endpointId, delivery);
  const room = (): number =>
    stopping.signal.aborted || recorder.pending > unrecordedMax ? 0 : Math.max(0, backlogMax - lanes.waiting);

  /** As with places, no endpoint's backlog is larger than what is left for the others. */
  const hold = () => {
    const deliveriesMax = room();
    const perEndpointMax = Math.min(endpointBacklogMax, deliveriesMax);
    return {
      lease: leases.next(),
      leaseSeconds: leaseMs / 1000,
      saturated: lanes.lanesWith(perEndpointMax),
      deliveriesMax,
      perEndpointMax,
    };
  };

  const claimOnce = async (): Promise<"again" | "wait"> => {
    await giveBack();
    if (room() === 0) return "wait";
    const leaseEndsAt = Date.now() + leaseMs;
    const after = walkedTo ?? "";
    const held = hold();
    forfeited.add(held.lease);
    const claim = await deliveries.claim({ ...held, after, endpointsMax: claimEndpointsMax });
    forfeited.delete(held.lease);
    walkedTo = claim.walkedTo;
    await takeClaimed(claim.deliveries, held.lease, leaseEndsAt);
    for (const endpointId of claim.throttled) await claimThrottled(endpointId);
    noteWhatIsLeft(held, claim.deliveries);
    // A walk that started in the middle has yet to see the beginning.
    return claim.walkedTo !== null || after !== "" ? "again" : "wait";
  };

  /** Makes due again what this worker can't or won't start. */
  const giveBack = async (): Promise<void> => {
    const keys = unreturned.splice(0);
    try {
      await deliveries.release(keys);
    } catch (error) {
      unreturned.push(...keys);
      throw error;
    }
    for (const lease of forfeited) {
      await deliveries.releaseLeases({ from: lease, to: lease });
      forfeited.delete(lease);
    }
  };

  /** So that the next claim comes when there is room for it, and not a poll later. */
  const noteWhatIsLeft = (held: ReturnType<typeof hold>, claimed: ClaimedDelivery[]): void => {
    full = claimed.length >= held.deliveriesMax;
    cutShort = new Set(held.saturated);
    const counts = new Map<string, number>();
    for (const { endpointId } of claimed) {
      const count = (counts.get(endpointId) ?? 0) + 1;
      counts.set(endpointId, count);
      if (count >= held.perEndpointMax) cutShort.add(endpointId);
    }
  };

  const takeClaimed = async (
    claimed: ClaimedDelivery[],
    lease: string,
    leaseEndsAt: number,
  ): Promise<void> => {
    const unsendable: DeliveryKey[] = [];
    for (const delivery of claimed) {
      const held = { ...delivery, lease, leaseEndsAt };
      if (delivery.gone) unsendable.push(held);
      else push(held);
    }
    await deliveries.drop(unsendable);
  };

  const claimThrottled = async (endpointId: string): Promise<void> => {
    const lease = leases.next();
    const leaseEndsAt = Date.now() + leaseMs;
    const claimed = await deliveries.claimThrottled(endpointId, {
      lease,
      leaseSeconds: leaseMs / 1000,
      aheadSeconds: throttledAheadSeconds,
      deliveriesMax: endpointBacklogMax,
    });
    for (const delivery of claimed) {
      if (delivery.gone) await deliveries.drop([{ ...delivery, lease }]);
      else startLater({ ...delivery, lease, leaseEndsAt }, delivery.startsInMs);
    }
    if (claimed.length > 0) wakeAt(new Date(Date.now() + (throttledAheadSeconds * 1000) / 2));
  };

  /** Throttled deliveries whose moment has not come. */
  const later = new Map<Timer, Delivery>();
  const startLater = (delivery: Delivery, inMs: number): void => {
    const timer = setTimeout(() => {
      later.delete(timer);
      push(delivery);
    }, inMs);
    later.set(timer, delivery);
  };
  const cancelLater = (): Delivery[] => {
    for (const timer of later.keys()) clearTimeout(timer);
    return [...later.values()];
  };

  const loop = createLoop({
    name: "claim",
    log,
    intervalMs: pollIntervalMs,
    backoffMaxMs: 2_000,
    roundTimeoutMs: statementDeadlineMs,
    runOnce: claimOnce,
  });

  let wakeTimer: Timer | undefined;
  let wakesAt = Number.POSITIVE_INFINITY;
  /** A retry that this process has scheduled should not wait for the next poll. */
  const wakeAt = (at: Date): void => {
    const inMs = at.getTime() - Date.now();
    if (at.getTime() >= wakesAt || inMs > pollIntervalMs) return;
    clearTimeout(wakeTimer);
    wakesAt = at.getTime();
    wakeTimer = setTimeout(() => {
      wakesAt = Number.POSITIVE_INFINITY;
      loop.wake();
    }, inMs);
  };

  return {
    start: () => loop.start(),
    take: (taken) => taken.forEach(push),
    offer: () => (room() === 0 ? null : hold()),
    forfeit(lease) {
      forfeited.add(lease);
      loop.wake();
    },
    wake: () => loop.wake(),
    async stop(deadline) {
      stopping.abort();
      clearTimeout(wakeTimer);
      await loop.stop();
      await deliveries.release([...lanes.pause(), ...cancelLater(), ...unreturned.splice(0)]);
      if (deadline.aborted) giveUp.abort();
      deadline.addEventListener("abort", () => giveUp.abort());
      await lanes.idle();
      await recorder.idle();
    },
    get running() {
      return lanes.running;
    },
    get waiting() {
      return lanes.waiting;
    },
  };
}

function logAttempt(log: Logger, { outcome }: Judged): void {
  log.info(
    {
      orgId: outcome.orgId,
      appId: outcome.appId,
      endpointId: outcome.endpointId,
      messageId: outcome.messageId,
      attemptId: outcome.attemptId,
      attempt: outcome.attempt,
      outcome: outcome.succeeded ? "success" : "fail",
      statusCode: outcome.responseStatusCode,
      durationMs: outcome.durationMs,
      nextAt: outcome.nextAt,
      ...(outcome.responseStatusCode === 0 && { reason: outcome.response }),
    },
    "attempt",
  );
}
