import { idBound } from "../lib/ids.ts";
import type { Repos } from "../repos/index.ts";
import {
  type Partition,
  type PartitionedTable,
  type PartitionSpec,
  partitionedTables,
} from "../repos/partitions.ts";

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
/** Long enough that nobody has to look after it while every worker is down. */
const weeksAhead = 8;
const weeksAtFirst = 2;
const dropAttempts = 3;
const dropRetryMs = 1_000;
/** 1970-01-05, a Monday. */
const firstMondayMs = 4 * dayMs;

const idPrefixes = { messages: "msg_", attempts: "atmpt_", attempt_counts: "atmpt_" } as const;

/** Monday 00:00 UTC of that time's week. */
export function weekStart(time: Date): Date {
  return new Date(Math.floor((time.getTime() - firstMondayMs) / weekMs) * weekMs + firstMondayMs);
}

const tableOf = (partition: string): PartitionedTable =>
  partition.slice(0, -"_yyyymmdd".length) as PartitionedTable;

/** The Monday that a partition starts with. */
function mondayOf(partition: string): Date {
  const day = partition.slice(-"yyyymmdd".length);
  return new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00Z`);
}

/** The partition of the week that starts then. */
function specOf(table: PartitionedTable, monday: Date): PartitionSpec {
  const day = monday.toISOString().slice(0, 10).replaceAll("-", "");
  return {
    table,
    name: `${table}_${day}`,
    fromId: idBound(idPrefixes[table], monday),
    toId: idBound(idPrefixes[table], monday.getTime() + weekMs),
  };
}

/** From a week ago, since clocks differ, to so many weeks ahead. */
const weeksAround = (now: Date, ahead: number): { from: Date; to: Date } => ({
  from: new Date(now.getTime() - weekMs),
  to: new Date(now.getTime() + ahead * weekMs),
});

/** What a schedule keeps made. */
export const partitionsAhead = (now: Date) => weeksAround(now, weeksAhead);

/** Enough to start with, where the schedule comes in a moment. */
export const partitionsNow = (now: Date) => weeksAround(now, weeksAtFirst);

/**
 * Makes the weekly partitions that are missing between the two times, both included. Any number of processes may do so at
 * once. `migrate up` calls it with `partitionsAhead`, and so does a schedule.
 * @returns the names of those that were made
 */
export async function ensurePartitions(repos: Repos, range: { from: Date; to: Date }): Promise<string[]> {
  const wanted = specsOf(range);
  if (missing(wanted, await repos.partitions.list()).length === 0) return [];
  return repos.tx(async (tx) => {
    await tx.partitions.lock();
    const made = missing(wanted, await tx.partitions.list());
    for (const spec of made) await tx.partitions.create(spec);
    return made.map((spec) => spec.name);
  });
}

/** The names of those that are missing between the two times. */
export async function missingPartitions(repos: Repos, range: { from: Date; to: Date }): Promise<string[]> {
  return missing(specsOf(range), await repos.partitions.list()).map(({ name }) => name);
}

function specsOf({ from, to }: { from: Date; to: Date }): PartitionSpec[] {
  const specs: PartitionSpec[] = [];
  for (let at = weekStart(from).getTime(); at <= to.getTime(); at += weekMs) {
    for (const table of partitionedTables) specs.push(specOf(table, new Date(at)));
  }
  return specs;
}

function missing(wanted: PartitionSpec[], present: Partition[]): PartitionSpec[] {
  const names = new Set(present.filter(({ state }) => state !== "detached").map(({ name }) => name));
  return wanted.filter((spec) => !names.has(spec.name));
}

/** For an insert that met no partition (23514). */
export async function ensureCurrentPartitions(repos: Repos): Promise<void> {
  await ensurePartitions(repos, partitionsNow(new Date()));
}

/** The names of the partitions that hold nothing younger than `days`. */
export async function oldPartitions(
  repos: Repos,
  { days, now }: { days: number; now: Date },
): Promise<string[]> {
  const oldest = now.getTime() - days * dayMs;
  const names = (await repos.partitions.list()).map(({ name }) => name);
  return names.filter((name) => mondayOf(name).getTime() + weekMs <= oldest);
}

/** The Monday that a table's oldest partition starts with; null when it has none. */
export async function firstWeek(repos: Repos, table: PartitionedTable): Promise<Date | null> {
  const attached = (await repos.partitions.list()).filter(({ state }) => state === "attached");
  const first = attached.find(({ name }) => tableOf(name) === table);
  return first === undefined ? null : mondayOf(first.name);
}

/**
 * Drops the partitions that hold nothing younger than `days`. What was cut short is finished by the next call.
 * @returns their names
 */
export async function dropOldPartitions(
  repos: Repos,
  options: { days: number; now: Date },
): Promise<string[]> {
  const dropped: string[] = [];
  for (const name of await oldPartitions(repos, options)) {
    if (await dropPartition(repos, name)) dropped.push(name);
  }
  return dropped;
}

/**
 * Drops it, whatever was done to that end before.
 * @returns false when there was none any more: somebody else may be at it too, and is as good
 */
export async function dropPartition(repos: Repos, name: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const found = (await repos.partitions.list()).find((one) => one.name === name);
    if (!found) return false;
    try {
      if (found.state === "attached") await repos.partitions.detach(tableOf(name), name);
      if (found.state === "pending") await repos.partitions.finishDetach(tableOf(name), name);
      await repos.partitions.drop(name);
      return true;
    } catch (error) {
      if (attempt === dropAttempts) throw error;
      await Bun.sleep(dropRetryMs);
    }
  }
}
