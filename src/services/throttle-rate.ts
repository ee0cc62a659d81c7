/** The rate under its name or under that of 1.x SDKs; undefined when neither is given, null (or 0) to have none. */
export function throttleRateOf(input: {
  throttleRate?: number | null;
  rateLimit?: number | null;
}): number | null | undefined {
  const rate = input.throttleRate === undefined ? input.rateLimit : input.throttleRate;
  return rate === 0 ? null : rate;
}
