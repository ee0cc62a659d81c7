import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";
import type { Repos } from "../repos/index.ts";
import { createIntakeRepo, type IntakeRepo } from "../repos/intake.ts";
import { createIntake, type Intake } from "../services/intake.ts";
import { createNotifier } from "../services/notifications.ts";
import { createOperationalEvents, type OperationalEvents } from "../services/operational-events.ts";
import { ensureCurrentPartitions } from "../services/partitions.ts";
import type { Worker } from "./worker.ts";

export type EngineParts = {
  repos: Repos;
  /** Connections for the hot statements. */
  engine: Sql;
  payloadRetentionDays: number;
  log: Logger;
};

/**
 * What takes messages in, beside what delivers them if this process does. Each needs another: the intake hands over to
 * the worker, the worker tells the operational events, and those go through the intake.
 * @param makeWorker returns null where others deliver
 */
export function createEngine<W extends Worker | null>(
  parts: EngineParts,
  makeWorker: (events: OperationalEvents) => W,
): { events: OperationalEvents; worker: W; intake: Intake; intakeRepo: IntakeRepo } {
  const { repos, engine, payloadRetentionDays, log } = parts;
  const events = createOperationalEvents({
    repos,
    accept: (row) => intake.accept(row),
    payloadRetentionDays,
    log,
  });
  const worker = makeWorker(events);
  const intakeRepo = createIntakeRepo(engine);
  const intake: Intake = createIntake({
    repo: intakeRepo,
    handOver: worker?.handOver ?? null,
    notify: createNotifier(engine, log),
    ensurePartitions: () => ensureCurrentPartitions(repos),
  });
  return { events, worker, intake, intakeRepo };
}
