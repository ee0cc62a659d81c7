/** Exit codes that a Job can rely on. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The command line, or the environment, is wrong: nothing was done, exit 2. The message is a full sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A signal or the user stopped the work: exit 130. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor(message = "Interrupted; run the same command again to go on.") {
    super(message);
  }
}

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  const name = error instanceof Error ? error.name : "";
  if (name === "UsageError" || name === "ConfigError") return EXIT.usage;
  return name === "InterruptedError" ? EXIT.interrupted : EXIT.failed;
}

/** An error as one plain sentence, with its causes; never SQL, never a stack. */
export function errorSentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Drizzle's message is the whole statement with its parameters; the cause says what went wrong.
  const query = "query" in error && "params" in error;
  const inner = error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined);
  const own = query
    ? "A database query failed"
    : error.message || ("code" in error ? String(error.code) : error.name);
  if (inner === undefined) return own;
  const reason = errorSentence(inner);
  return own.endsWith(reason) ? own : `${own}: ${reason}`;
}

/** `; did you mean …?` for the nearest of the names, or nothing when none is near. */
export function suggestion(given: string, names: readonly string[]): string {
  const ranked = names
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(2, best.name.length / 3) ? `; did you mean ${best.name}?` : "";
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && j > 1)
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      next[j] = cost;
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
