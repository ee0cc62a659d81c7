import { statementDeadlineMs } from "../lib/deadline.ts";
import { Lanes } from "../lib/lanes.ts";
import type { Logger } from "../lib/log.ts";
import { createLoop } from "../lib/loop.ts";
import type { ClaimedDelivery, DeliveriesRepo } from "../repos/deliveries.ts";
import type { OutcomesRepo } from "../repos/outcomes.ts";
import type { ThrottlesRepo } from "../repos/throttles.ts";
import type { TurnsRepo } from "../repos/turns.ts";
import { type Delivery, type DeliveryPolicy, deliver } from "../services/delivery.ts";
import { endpointTimeoutMsMax } from "../services/delivery-limits.ts";
import type { HandOver } from "../services/intake.ts";
import type { AttemptEvents } from "../services/operational-events.ts";
import { createRecorder } from "../services/recorder.ts";
import type { Targets } from "../services/targets.ts";
import { createFifo } from "./fifo.ts";
import { createLeases } from "./leases.ts";
import { createReturns } from "./returns.ts";
import { createSettle } from "./settle.ts";
import { createThrottled } from "./throttled.ts";

export type DeliverOptions = {
  deliveries: DeliveriesRepo;
  throttles: ThrottlesRepo;
  turns: TurnsRepo;
  outcomes: OutcomesRepo;
  targets: Targets;
  policy: DeliveryPolicy;
  concurrency: number;
  endpointConcurrency: number;
  disableAfterSeconds: number;
  events: AttemptEvents;
  workerId: string;
  /** Since when (performance.now()) nobody can have taken this worker for dead. */
  aliveSince(): number;
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
const pollIntervalMs = 1_500;
const claimEndpointsMax = 256;
/** Outcomes that wait for the database before nothing new is taken on. */
const unrecordedMax = 5_000;

/** Delivers what is due: what this process commits itself comes by `take`, everything else by claims. */
export function createDeliverTask(options: DeliverOptions): DeliverTask {
  const { deliveries, outcomes, policy, log } = options;
  const timeoutMsMax = Math.max(policy.timeoutMs, endpointTimeoutMsMax);
  const leaseMs = localWaitMs + timeoutMsMax;
  const leases = createLeases(options.workerId);
  const stopping = new AbortController();
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
  const returns = createReturns(deliveries);
  const settle = createSettle({
    recorder,
    outcomes,
    disableAfterSeconds: options.disableAfterSeconds,
    events: options.events,
    log,
    // A retry that this process has scheduled should not wait for the next poll.
    onRetry: (inMs) => loop.wakeIn(inMs),
  });

  const run = async (delivery: Delivery): Promise<void> => {
    let arrived = false;
    try {
      // Too late to be sure of ending before the lease does: whoever claims it next sends it.
      if (performance.now() > delivery.leaseEndsAt - timeoutMsMax) return;
      const target = await options.targets.get(delivery.endpointId, delivery.revision);
      if (target === null) return await deliveries.drop([delivery]);
      const judged = await deliver(policy, target, delivery);
      if (judged === null) return returns.add([delivery]);
      // Not awaited: the place is free for the next delivery while the outcome is being committed.
      // Only in line the next one waits for it.
      const inLine = fifo.owns(delivery);
      const settled = settle(judged, { soon: inLine });
      if (inLine) arrived = (await settled) && judged.outcome.succeeded;
    } catch (error) {
      const { messageId, endpointId } = delivery;
      log.error({ err: error, messageId, endpointId }, "a delivery could not be started");
      returns.addFailed(delivery);
    } finally {
      fifo.ended(delivery, arrived);
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
    const unstarted = endpointIds.flatMap((id) => lanes.empty(id));
    returns.add(unstarted);
    for (const delivery of unstarted) fifo.ended(delivery, false);
    loop.wake();
  };

  const push = (delivery: Delivery): void => lanes.push(delivery.appId, delivery.endpointId, delivery);
  const room = (): number =>
    stopping.signal.aborted || recorder.pending > unrecordedMax
      ? 0
      : Math.max(0, backlogMax - lanes.waiting - fifo.waiting);

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
    await returns.giveBack();
    if (room() === 0) return "wait";
    const leaseEndsAt = performance.now() + leaseMs;
    const after = walkedTo ?? "";
    const held = hold();
    const claim = await returns.claimUnder(
      held.lease,
      () => deliveries.claim({ ...held, after, endpointsMax: claimEndpointsMax }),
      (taken) => taken.deliveries,
    );
    walkedTo = claim.walkedTo;
    for (const delivery of claim.deliveries) {
      if (!delivery.gone) push({ ...delivery, lease: held.lease, leaseEndsAt });
    }
    await throttled.claim(claim.throttled);
    await fifo.claim(claim.inLine);
    noteWhatIsLeft(held, claim.deliveries);
    // A walk that started in the middle has yet to see the beginning.
    return claim.walkedTo !== null || after !== "" ? "again" : "wait";
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

  const throttled = createThrottled({
    throttles: options.throttles,
    returns,
    nextLease: leases.next,
    leaseMs,
    deliveriesMax: endpointBacklogMax,
    start: push,
    claimAgainIn: (ms) => loop.wakeIn(ms),
  });

  const fifo = createFifo({
    turns: options.turns,
    throttles: options.throttles,
    returns,
    nextLease: leases.next,
    leaseMs,
    aliveSince: options.aliveSince,
    start: push,
    claimAgain: () => loop.wake(),
  });

  const loop = createLoop({
    name: "claim",
    log,
    intervalMs: pollIntervalMs,
    backoffMaxMs: 2_000,
    roundTimeoutMs: statementDeadlineMs,
    runOnce: claimOnce,
  });

  return {
    start: () => loop.start(),
    take: (taken) => taken.forEach(push),
    offer: () => (room() === 0 ? null : hold()),
    forfeit(lease) {
      returns.addLease(lease);
      loop.wake();
    },
    holdsTurn: (endpointId) => fifo.holds(endpointId),
    wake: () => loop.wake(),
    async stop(deadline) {
      stopping.abort();
      if (deadline.aborted) policy.egress.close();
      deadline.addEventListener("abort", () => policy.egress.close());
      await loop.stop();
      returns.add([...lanes.pause(), ...throttled.cancel(), ...fifo.cancel()]);
      // What fails here is tried again below, with what could not be started meanwhile.
      await returns.giveBack().catch(() => {});
      await lanes.idle();
      await recorder.idle();
      await returns.giveBack();
      await fifo.giveUp();
    },
    get running() {
      return lanes.running;
    },
    get waiting() {
      return lanes.waiting + fifo.waiting;
    },
  };
}
