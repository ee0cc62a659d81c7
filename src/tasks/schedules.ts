import { Queue, shutdownManager, Worker } from "bunqueue/client";
import type { Logger } from "../lib/log.ts";
import type { Repos } from "../repos/index.ts";
import { countAttempts } from "../services/attempt-counts.ts";
import { dropOldPartitions, ensurePartitions, partitionsAhead } from "../services/partitions.ts";
import * as retention from "../services/retention.ts";

export type Counts = Record<string, number>;
export type Schedule = {
  name: string;
  everySeconds: number;
  runOnce(ctx: retention.RetentionContext): Promise<Counts>;
};

export const schedules: readonly Schedule[] = [
  {
    name: "partitions",
    everySeconds: 3600,
    async runOnce({ repos, now, retentionDays }) {
      const made = await ensurePartitions(repos, partitionsAhead(now));
      const dropped = await dropOldPartitions(repos, { days: retentionDays, now });
      return { made: made.length, dropped: dropped.length };
    },
  },
  {
    name: "attempt-counts",
    everySeconds: 600,
    runOnce: async (ctx) => ({ hours: await countAttempts(ctx) }),
  },
  {
    name: "payloads",
    everySeconds: 300,
    runOnce: async (ctx) => ({ expunged: await retention.expungePayloads(ctx) }),
  },
  {
    name: "idempotency-keys",
    everySeconds: 600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteIdempotencyKeys(ctx) }),
  },
  {
    name: "event-ids",
    everySeconds: 3600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteEventIds(ctx) }),
  },
  {
    name: "endpoint-secrets",
    everySeconds: 3600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteExpiredSecrets(ctx) }),
  },
  {
    name: "revoked-tokens",
    everySeconds: 3600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteRevokedTokens(ctx) }),
  },
  {
    name: "session-ends",
    everySeconds: 3600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteSessionEnds(ctx) }),
  },
  {
    name: "background-tasks",
    everySeconds: 3600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteEndedTasks(ctx) }),
  },
  {
    name: "audit-log",
    everySeconds: 3600,
    runOnce: async (ctx) => ({ deleted: await retention.deleteAuditEntries(ctx) }),
  },
];

let clocks = 0;

export type SchedulesParts = {
  repos: Repos;
  log: Logger;
  /** How long messages and attempts are kept. */
  retentionDays: number;
  /** How often each worker looks whether something is due. */
  tickMs?: number;
};

/**
 * Runs the schedule if it is due and no other worker has taken this run. A run that fails is due again at once.
 * @returns null when it was not ours to run
 */
export async function runSchedule(
  schedule: Schedule,
  { repos, log, retentionDays }: SchedulesParts,
  signal: AbortSignal,
): Promise<Counts | null> {
  if (!(await repos.schedules.take(schedule.name, schedule.everySeconds))) return null;
  try {
    const counts = await schedule.runOnce({ repos, retentionDays, now: new Date(), signal });
    log.info({ schedule: schedule.name, ...counts }, "schedule ran");
    return counts;
  } catch (error) {
    await repos.schedules.giveBack(schedule.name);
    throw error;
  }
}

/**
 * The clock is bunqueue's, in memory and in every worker; which of them runs is decided in PostgreSQL.
 * Everything that bunqueue could keep or repeat is switched off: a run that is lost is due again by its row.
 */
export function startSchedules(parts: SchedulesParts): { stop(): Promise<void> } {
  clocks += 1;
  const abort = new AbortController();
  const memoryOnly = { embedded: true, dataPath: "" };
  const queue = new Queue("schedules", {
    ...memoryOnly,
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
  });
  queue.setStallConfig({ enabled: false });
  const byName = new Map(schedules.map((schedule) => [schedule.name, schedule]));
  const worker = new Worker(
    "schedules",
    async (job) => {
      const schedule = byName.get(job.name);
      if (schedule === undefined || abort.signal.aborted) return;
      try {
        await runSchedule(schedule, parts, abort.signal);
      } catch (error) {
        parts.log.warn({ err: error, schedule: schedule.name }, "a schedule failed");
      }
    },
    // An idle worker of its looks for work 20 times a second, at 1 to 2.5 % of a core; once is enough for a clock.
    { ...memoryOnly, concurrency: 1, heartbeatInterval: 0, useLocks: false, drainDelay: 1_000 },
  );
  // Whatever is wrong with it, the next tick comes.
  worker.on("error", (error) => parts.log.warn({ err: error }, "the schedules' clock failed"));
  const set = schedules.map(({ name }) =>
    queue.upsertJobScheduler(name, { every: parts.tickMs ?? 60_000, immediately: true }, { name }),
  );
  let stopped: Promise<void> | null = null;
  const stop = async () => {
    abort.abort();
    await Promise.allSettled(set);
    await worker.close();
    await queue.close();
    clocks -= 1;
    // There is one for the process, and it keeps the process alive.
    if (clocks === 0) shutdownManager();
  };
  return {
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
