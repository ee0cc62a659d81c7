// RFC 3339, and the way Rust's chrono prints a UTC time, which Svix clients send as well.
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const chrono = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?) UTC$/;

/** The time that `2026-01-02T03:04:05.678Z` or `2026-01-02 03:04:05.678 UTC` says, to the millisecond; null when none. */
export function parseTimestamp(text: string): Date | null {
  // A plus sign that was not escaped in a query arrives as a space.
  const written = text.replace(chrono, "$1T$2Z").replace(/ (\d{2}:\d{2})$/, "+$1");
  if (!rfc3339.test(written)) return null;
  const time = new Date(written.toUpperCase().replace(" ", "T"));
  return Number.isNaN(time.getTime()) ? null : time;
}
