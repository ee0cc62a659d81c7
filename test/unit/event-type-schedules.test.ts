import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { createEventTypeSchedules } from "../../src/services/event-type-schedules.ts";
import { silent } from "../harness/postgres.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** What the database says, changed by the test; `asked` counts. */
function stage() {
  const database = {
    rows: [{ name: "a", retrySchedule: [1] as number[] }],
    asked: [] as string[],
    fault: null as Error | null,
  };
  const load = async (orgId: string) => {
    database.asked.push(orgId);
    if (database.fault !== null) throw database.fault;
    return database.rows;
  };
  return { database, schedules: createEventTypeSchedules({ load, log: silent }) };
}

test("an org's are asked for once in five seconds, and a change holds after that", async () => {
  const { database, schedules } = stage();
  const both = await Promise.all([schedules("org_a", "a"), schedules("org_a", "b")]);
  expect(both).toEqual([[1], null]);
  database.rows = [{ name: "a", retrySchedule: [] }];
  jest.setSystemTime(Date.now() + 4_999);
  expect(await schedules("org_a", "a")).toEqual([1]);
  await schedules("org_b", "a");
  expect(database.asked).toEqual(["org_a", "org_b"]);
  jest.setSystemTime(Date.now() + 1);
  expect(await schedules("org_a", "a")).toEqual([]);
  expect(database.asked).toEqual(["org_a", "org_b", "org_a"]);
});

test("while they can't be read, what was known last holds on, and nobody asks at every failure", async () => {
  const { database, schedules } = stage();
  await schedules("org_a", "a");
  database.fault = new Error("away");
  jest.setSystemTime(Date.now() + 5_000);
  expect(await schedules("org_a", "a")).toEqual([1]);
  expect(await schedules("org_new", "a")).toBeNull();
  expect(await schedules("org_new", "a")).toBeNull();
  expect(database.asked).toEqual(["org_a", "org_a", "org_new"]);
});
