import type { Sql } from "postgres";
import type { Config } from "../config.ts";
import { allEnded } from "../lib/all-ended.ts";
import { createEgress } from "../lib/egress/index.ts";
import type { Logger } from "../lib/log.ts";
import { tasksChannel } from "../repos/background-tasks.ts";
import { createDeliveriesRepo } from "../repos/deliveries.ts";
import type { Repos } from "../repos/index.ts";
import { createOutcomesRepo } from "../repos/outcomes.ts";
import { dueChannel } from "../repos/queue.ts";
import { createTargetsRepo } from "../repos/targets.ts";
import { createThrottlesRepo } from "../repos/throttles.ts";
import { createTurnsRepo } from "../repos/turns.ts";
import { createWorkersRepo } from "../repos/workers.ts";
import { createEventTypeSchedules } from "../services/event-type-schedules.ts";
import type { HandOver } from "../services/intake.ts";
import { listen } from "../services/notifications.ts";
import { createAttemptEvents, type OperationalEvents } from "../services/operational-events.ts";
import { ensureCurrentPartitions } from "../services/partitions.ts";
import { createTargets } from "../services/targets.ts";
import type { Availability } from "./availability.ts";
import { createDeliverTask } from "./deliver.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { newWorkerId } from "./leases.ts";
import { createPurgesTask } from "./purges.ts";
import { createReplaysTask } from "./replays.ts";
import { createUsageTask } from "./usage.ts";

export type WorkerParts = {
  config: Config;
  repos: Repos;
  /** Connections for the hot statements. */
  engine: Sql;
  /** Past a pooler, for LISTEN. */
  direct: Sql;
  /** No other worker can be alive: this process has just started the database. */
  alone: boolean;
  userAgent: string;
  /** Unseals a stored secret. */
  open(secret: string): string;
  events: OperationalEvents;
  availability: Pick<Availability, "suspect">;
  log: Logger;
};

export type Worker = {
  handOver: HandOver;
  start(): Promise<void>;
  stop(deadline: AbortSignal): Promise<void>;
  stats(): { inFlight: number; waiting: number };
};

/** Everything that runs in the background of a process: deliveries, the heartbeat, the ear for notifications. */
export function createWorker(parts: WorkerParts): Worker {
  const { config, repos, engine, direct, alone, userAgent, open, log } = parts;
  const workerId = newWorkerId();
  const deliveries = createDeliveriesRepo(engine);
  const workers = createWorkersRepo(engine);
  const egress = createEgress({
    allow: config.egressAllow,
    ...(config.egressProxy && { proxy: config.egressProxy }),
  });
  const deliver = createDeliverTask({
    deliveries,
    throttles: createThrottlesRepo(engine),
    turns: createTurnsRepo(engine),
    outcomes: createOutcomesRepo(engine),
    targets: createTargets(createTargetsRepo(engine), open),
    policy: {
      egress,
      userAgent,
      timeoutMs: config.deliveryTimeoutMs,
      responseBytesMax: config.responseBodyBytesMax,
      retry: { schedule: config.retrySchedule, jitter: config.retryJitter },
      eventTypeSchedules: createEventTypeSchedules({ load: repos.eventTypes.listRetrySchedules, log }),
    },
    concurrency: config.deliveryConcurrency,
    endpointConcurrency: config.endpointConcurrency,
    disableAfterSeconds: config.disableEndpointAfterSeconds,
    events: createAttemptEvents(parts.events),
    workerId,
    aliveSince: () => heartbeat.aliveSince(),
    ensurePartitions: () => ensureCurrentPartitions(repos),
    log,
  });
  const heartbeat = createHeartbeat({
    workerId,
    workers,
    deliveries,
    log,
    onFreed: deliver.wake,
    onFailed: parts.availability.suspect,
  });
  const replays = createReplaysTask({ repos, log });
  const usage = createUsageTask({ repos, log });
  const purges = createPurgesTask({ repos, log });
  let ears: { stop(): Promise<void> }[] = [];
  let clock: { stop(): Promise<void> } | null = null;

  /** It counts as alive until nothing of its is under way; and for dead, when it could not hand back what it held. */
  const endDeliveries = async (deadline: AbortSignal): Promise<void> => {
    try {
      await deliver.stop(deadline);
    } finally {
      await heartbeat.stop();
    }
    await workers.forget(workerId);
  };

  return {
    handOver: deliver,
    async start() {
      // Its library is a tenth of all code to load, which there is time for while the database is waited for.
      const loading = import("./schedules.ts");
      // In case that the database fails first.
      loading.catch(() => {});
      if (alone) {
        await workers.forgetOthers(workerId);
        const freed = await deliveries.releaseLeases(null);
        if (freed > 0)
          log.info({ deliveries: freed }, "took over what was under way when the last process ended");
      }
      const wakeTasks = () => {
        replays.wake();
        usage.wake();
        purges.wake();
      };
      ears = await Promise.all([
        listen(direct, dueChannel, deliver.wake, deliver.wake),
        listen(direct, tasksChannel, wakeTasks, wakeTasks),
      ]);
      // Before it holds anything: the leases of a worker that nobody knows would be freed by nobody.
      await workers.beat(workerId, null);
      heartbeat.start();
      deliver.start();
      replays.start();
      usage.start();
      purges.start();
      const { startSchedules } = await loading;
      clock = startSchedules({ repos, log, retentionDays: config.attemptRetentionDays });
      log.info({ workerId }, "worker started");
    },
    async stop(deadline) {
      // Side by side: a step of a task that takes minutes must not keep the deliveries from being handed back.
      try {
        await allEnded([
          endDeliveries(deadline),
          ...[clock, replays, usage, purges, ...ears].map((part) => part?.stop()),
        ]);
      } finally {
        egress.close();
      }
    },
    stats: () => ({ inFlight: deliver.running, waiting: deliver.waiting }),
  };
}
