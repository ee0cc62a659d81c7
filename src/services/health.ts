import type { Static } from "@sinclair/typebox";
import { withDeadline } from "../lib/deadline.ts";
import { isOutOfRoom } from "../lib/postgres-errors.ts";
import type { Repos } from "../repos/index.ts";
import type { Health } from "../schemas/health.ts";

export type HealthReport = { healthy: boolean; report: Static<typeof Health> };

export type HealthChecks = {
  check(): Promise<HealthReport>;
  /** A request failed of this. When there was no room for what it wrote, that counts for a while. */
  failed(error: unknown): void;
};

/** A database that takes longer is of no use to a load balancer. */
const timeoutMs = 2_000;
/** Anybody may ask, and as often as they like: one write serves all who ask meanwhile. */
const believedMs = 1_000;
/** A full disk still takes a row where another was, so that a check alone would not notice. */
const failureCountsMs = 10_000;

export function createHealthChecks(
  { health }: Pick<Repos, "health">,
  now: () => number = Date.now,
): HealthChecks {
  let last: { atMs: number; answered: Promise<boolean> } | null = null;
  let failedAtMs = Number.NEGATIVE_INFINITY;

  const write = (): Promise<boolean> =>
    withDeadline(health.write(), timeoutMs).then(
      () => true,
      () => false,
    );

  return {
    async check() {
      if (last === null || last.atMs <= now() - believedMs) last = { atMs: now(), answered: write() };
      const healthy = (await last.answered) && failedAtMs <= now() - failureCountsMs;
      const status = healthy ? "ok" : "error";
      return { healthy, report: { database: { status }, queue: { status }, cache: { status: "ok" } } };
    },
    failed(error) {
      if (isOutOfRoom(error)) failedAtMs = now();
    },
  };
}
