import { parseTimestamp } from "../lib/timestamps.ts";
import { AppError, invalid } from "./errors.ts";

/** What a client's time may be off: for clocks that differ, and the time that a request takes. */
export const slackMs = 300_000;

const expected = "must be a time in RFC 3339";

/** @throws AppError generic_error (400), as for every query parameter of the wrong type */
export function queryTime(name: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const time = parseTimestamp(text);
  if (time === null) throw new AppError("generic_error", { detail: `Query parameter ${name}: ${expected}` });
  return time;
}

/** @throws AppError validation (422) */
export function bodyTime(name: string, text: string): Date {
  const time = parseTimestamp(text);
  if (time === null) throw invalid(["body", name], expected);
  return time;
}

/** A range that a body gives, up to now unless told. @throws AppError validation (422), also when it ends before it begins */
export function bodyRange(since: string, until: string | null | undefined): { since: Date; until: Date } {
  const range = { since: bodyTime("since", since), until: until ? bodyTime("until", until) : new Date() };
  if (range.since > range.until) throw invalid(["body", "since"], "must not be later than until");
  return range;
}
