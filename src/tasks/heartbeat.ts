import { statementDeadlineMs } from "../lib/deadline.ts";
import type { Logger } from "../lib/log.ts";
import { createLoop, type Loop } from "../lib/loop.ts";
import type { DeliveriesRepo } from "../repos/deliveries.ts";
import type { WorkersRepo } from "../repos/workers.ts";
import { leaseRange } from "./leases.ts";

const intervalMs = 3_000;
/** A beat takes a few milliseconds. */
const lateMs = 2_000;
/** Three beats missed, and a little. */
const deadAfterSeconds = 10;

export type HeartbeatOptions = {
  workerId: string;
  workers: WorkersRepo;
  deliveries: DeliveriesRepo;
  log: Logger;
  /** Some leases were freed: there is something to claim. */
  onFreed(): void;
};

export type HeartbeatLoopOptions = HeartbeatOptions & {
  /** A beat failed: the database may be away. */
  onFailed(): void;
};

export type Heartbeat = Loop & {
  /** Since when (performance.now()) its beats have come in time; infinite while one is overdue. */
  aliveSince(): number;
};

/**
 * Says that this worker lives, and frees what dead ones held. Returns how many deliveries it freed.
 * @param judges false: it can't tell the dead from those that could not say anything
 */
export async function beatOnce(options: HeartbeatOptions, judges = true): Promise<number> {
  const dead = await options.workers.beat(options.workerId, judges ? deadAfterSeconds : null);
  let freed = 0;
  for (const id of dead) {
    freed += await options.deliveries.releaseLeases(leaseRange(id));
    // Only now: until then another may finish what a failure has cut short here.
    await options.workers.forget(id);
  }
  if (dead.length > 0)
    options.log.warn({ workers: dead, deliveries: freed }, "took over from workers that died");
  if (freed > 0) options.onFreed();
  return freed;
}

export function createHeartbeat(options: HeartbeatLoopOptions): Heartbeat {
  let beatAt = performance.now();
  let steadySince = beatAt;
  /** Whoever was cut off himself lets the others speak up first: they were too, perhaps. */
  let judgesFrom = 0;
  const cutOff = (): void => {
    judgesFrom = performance.now() + deadAfterSeconds * 1000;
  };

  const loop = createLoop({
    name: "heartbeat",
    log: options.log,
    intervalMs,
    backoffMaxMs: intervalMs,
    roundTimeoutMs: statementDeadlineMs,
    runOnce: async () => {
      const late = setTimeout(options.onFailed, lateMs);
      if (performance.now() - beatAt > 2 * intervalMs) cutOff();
      const startedAt = performance.now();
      if (startedAt - beatAt > 2 * intervalMs) steadySince = startedAt;
      try {
        await beatOnce(options, performance.now() >= judgesFrom);
        beatAt = startedAt;
      } catch (error) {
        cutOff();
        options.onFailed();
        throw error;
      } finally {
        clearTimeout(late);
      }
      return "wait";
    },
  });
  return {
    ...loop,
    aliveSince: () => (performance.now() - beatAt > 2 * intervalMs ? Number.POSITIVE_INFINITY : steadySince),
  };
}
