/** The most that a receiver's Retry-After can put a retry off, unless the schedule itself waits longer. */
const retryAfterSecondsMax = 3600;

export type RetryPolicy = {
  /** Seconds before the second attempt, the third, and so on; empty for a single attempt. */
  schedule: readonly number[];
  /** The share by which a delay varies, up and down. */
  jitter: number;
};

/**
 * In how many milliseconds a failed delivery is due again.
 *
 * @param attempt how many attempts have been made, this one included
 * @param retryAfterSeconds what the receiver asked for; it can only lengthen the wait, up to an hour or twice the
 *   planned delay, whichever is longer
 * @returns null when the schedule is used up
 */
export function retryDelayMs(
  policy: RetryPolicy,
  attempt: number,
  retryAfterSeconds: number | null,
  random: () => number = Math.random,
): number | null {
  const planned = policy.schedule[attempt - 1];
  if (planned === undefined) return null;
  const jittered = planned * (1 + policy.jitter * (2 * random() - 1));
  const asked = Math.min(retryAfterSeconds ?? 0, Math.max(retryAfterSecondsMax, 2 * planned));
  return Math.max(jittered, asked) * 1000;
}

/**
 * Seconds that a Retry-After header asks for: a number (fractions are rounded up) or an HTTP date (RFC 9110, 10.2.3).
 * Null when it says neither.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text));
  // An HTTP date starts with a day's name; Date.parse alone would take "-5" for a year.
  const at = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000));
}
