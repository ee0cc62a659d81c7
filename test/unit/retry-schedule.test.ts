import { expect, test } from "bun:test";
import { parseRetryAfter, retryDelayMs } from "../../src/services/retry-schedule.ts";

const policy = { schedule: [5, 300, 1800], jitter: 0.2 };
const now = Date.UTC(2026, 0, 1);
const delayOf = (attempt: number, retryAfter: number | null, random: number) => {
  const ms = retryDelayMs(policy, attempt, retryAfter, () => random);
  return ms === null ? null : ms / 1000;
};

test("follows the schedule, with jitter either way, until it is used up", () => {
  expect(delayOf(1, null, 0.5)).toBe(5);
  expect(delayOf(1, null, 0)).toBe(4);
  expect(delayOf(2, null, 1)).toBe(360);
  expect(delayOf(3, null, 0.5)).toBe(1800);
  expect(delayOf(4, null, 0.5)).toBeNull();
  expect(retryDelayMs({ schedule: [], jitter: 0 }, 1, 60)).toBeNull();
});

test("Retry-After lengthens a delay, within bounds, and never shortens it", () => {
  expect(delayOf(1, 60, 0.5)).toBe(60);
  expect(delayOf(2, 10, 0.5)).toBe(300);
  expect(delayOf(1, 1e9, 0.5)).toBe(3600);
  expect(delayOf(3, 1e9, 0.5)).toBe(3600);
  expect(retryDelayMs({ schedule: [7200], jitter: 0 }, 1, 1e9)).toBe(14_400_000);
});

test("reads Retry-After as seconds or as a date, and as nothing else", () => {
  const cases: [header: string | undefined, seconds: number | null][] = [
    [undefined, null],
    ["120", 120],
    [" 7 ", 7],
    ["1.2", 2],
    ["Thu, 01 Jan 2026 00:02:00 GMT", 120],
    ["Wed, 31 Dec 2025 23:00:00 GMT", 0],
    ["-5", null],
    ["soon", null],
    ["", null],
    ["1e9", null],
  ];
  for (const [header, seconds] of cases) expect(parseRetryAfter(header, now)).toBe(seconds);
});
