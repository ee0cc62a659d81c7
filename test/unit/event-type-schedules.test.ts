import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { createEventTypeSchedules } from "../../src/services/event-type-schedules.ts";
import { silent } from "../harness/postgres.ts";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

type Row = { name: string; retrySchedule: number[] | null };

/** What the database says, changed by the test; `asked` counts. */
function stage() {
  const stage = {
    rows: [{ name: "a", retrySchedule: [1] }] as Row[],
    asked: [] as string[],
    fault: null as Error | null,
    schedules: createEventTypeSchedules({
      load: async (orgId) => {
        stage.asked.push(orgId);
        if (stage.fault !== null) throw stage.fault;
        return stage.rows;
      },
      log: silent,
    }),
  };
  return stage;
}

test("an org's are asked for once in five seconds, and a change holds after that", async () => {
  const one = stage();
  const both = await Promise.all([one.schedules("org_a", "a"), one.schedules("org_a", "b")]);
  expect(both).toEqual([[1], null]);
  one.rows = [{ name: "a", retrySchedule: [] }];
  jest.setSystemTime(Date.now() + 4_999);
  expect(await one.schedules("org_a", "a")).toEqual([1]);
  await one.schedules("org_b", "a");
  expect(one.asked).toEqual(["org_a", "org_b"]);
  jest.setSystemTime(Date.now() + 1);
  expect(await one.schedules("org_a", "a")).toEqual([]);
  expect(one.asked).toEqual(["org_a", "org_b", "org_a"]);
});

test("while they can't be read, what was known last holds on, and nobody asks at every failure", async () => {
  const one = stage();
  await one.schedules("org_a", "a");
  one.fault = new Error("away");
  jest.setSystemTime(Date.now() + 5_000);
  expect(await one.schedules("org_a", "a")).toEqual([1]);
  expect(await one.schedules("org_new", "a")).toBeNull();
  expect(await one.schedules("org_new", "a")).toBeNull();
  expect(one.asked).toEqual(["org_a", "org_a", "org_new"]);
});
