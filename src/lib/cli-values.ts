import { UsageError } from "./cli-errors.ts";
import { type IdPrefix, isId } from "./ids.ts";

const UNIT_SECONDS: Record<string, number> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** Reads a whole number within a range. @throws UsageError that names the flag and the range. */
export function intValue(flag: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${flag} is a whole number from ${min} to ${max}; got ${JSON.stringify(text)}.`);
}

/** Reads an id. @throws UsageError that names the flag and the prefix */
export function idValue(flag: string, text: string, prefix: IdPrefix): string {
  if (isId(prefix, text)) return text;
  throw new UsageError(`--${flag} is ${prefix} and 27 letters and digits; got ${JSON.stringify(text)}.`);
}

/** Reads a duration such as `90s`, `15m`, `28d` or `10y` into seconds. @throws UsageError */
export function durationSeconds(
  flag: string,
  text: string,
  { min = 0, max = Number.POSITIVE_INFINITY }: { min?: number; max?: number } = {},
): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)$/.exec(text) ?? [];
  const seconds = unit ? Number(digits) * (UNIT_SECONDS[unit] as number) : Number.NaN;
  if (seconds >= min && seconds <= max) return seconds;
  const range = Number.isFinite(max) ? `, from ${min} s to ${max} s` : min > 0 ? `, ${min} s or more` : "";
  throw new UsageError(
    `--${flag} is a duration like 3600s, 15m, 28d or 10y${range}; got ${JSON.stringify(text)}.`,
  );
}

/**
 * Reads a point in time: RFC 3339 (`2026-01-31T12:00:00Z`), a date (`2026-01-31`, midnight UTC), or a duration
 * that counts back from now (`2h`). @throws UsageError
 */
export function dateValue(flag: string, text: string, nowMs: number = Date.now()): Date {
  if (/^\d+(\.\d+)?(ms|s|m|h|d|w|y)$/.test(text)) return new Date(nowMs - durationSeconds(flag, text) * 1000);
  const shape = /^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/i.exec(text);
  const date = shape
    ? new Date(shape[2] ? text.replace(" ", "T") : `${text}T00:00:00Z`)
    : new Date(Number.NaN);
  // Date rolls the 31st of February over into March: the day must come back as it was written.
  const day = shape && new Date(`${shape[1]}T00:00:00Z`);
  if (
    !Number.isNaN(date.getTime()) &&
    day &&
    !Number.isNaN(day.getTime()) &&
    day.toISOString().startsWith(shape[1] ?? "")
  ) {
    return date;
  }
  throw new UsageError(
    `--${flag} is a time like 2026-01-31T12:00:00Z, a date, or a duration back from now like 2h; got ${JSON.stringify(text)}.`,
  );
}

/** Reads a list with commas between, blanks trimmed. @throws UsageError for an empty part. */
export function listValue(flag: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new UsageError(`--${flag} has an empty part: ${JSON.stringify(text)}.`);
  return parts;
}
