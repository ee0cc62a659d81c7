import { withDeadline } from "../lib/deadline.ts";
import type { Logger } from "../lib/log.ts";

/** An event type's own retry schedule, in seconds; null when it has none. Never rejects. */
export type EventTypeSchedules = (orgId: string, eventType: string) => Promise<readonly number[] | null>;

export type EventTypeSchedulesParts = {
  /** Those that an org's event types have. */
  load(orgId: string): Promise<{ name: string; retrySchedule: number[] | null }[]>;
  log: Logger;
};

type Known = Map<string, readonly number[] | null>;

/** How late a change may take hold in a worker. */
const knownMs = 5_000;
const knownMax = 10_000;
/** A failed delivery holds its place until the answer. */
const patienceMs = 2_000;

/**
 * The schedules that event types have, remembered by org. Only failures ask, so that what arrives costs nothing; those
 * of an org ask the database once in five seconds. While that gives no answer, what was known last holds on.
 */
export function createEventTypeSchedules({ load, log }: EventTypeSchedulesParts): EventTypeSchedules {
  const known = new Map<string, { schedules: Promise<Known>; untilMs: number }>();

  const ask = async (orgId: string, before: Promise<Known> | undefined): Promise<Known> => {
    try {
      const rows = await withDeadline(load(orgId), patienceMs);
      return new Map(rows.map(({ name, retrySchedule }) => [name, retrySchedule]));
    } catch (error) {
      log.warn({ err: error, orgId }, "the event types' retry schedules can't be read");
      return (await before) ?? new Map();
    }
  };

  return async (orgId, eventType) => {
    let found = known.get(orgId);
    if (found === undefined || found.untilMs <= Date.now()) {
      if (known.size >= knownMax) known.clear();
      found = { schedules: ask(orgId, found?.schedules), untilMs: Date.now() + knownMs };
      known.set(orgId, found);
    }
    return (await found.schedules).get(eventType) ?? null;
  };
}
