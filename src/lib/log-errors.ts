const CAUSES_MAX = 5;

/** An error as it is logged. */
export interface LoggedError {
  type: string;
  message: string;
  stack?: string;
  cause?: LoggedError;
  errors?: LoggedError[];
  [field: string]: unknown;
}

/**
 * An error without SQL and parameters. Drizzle writes both into its message and its stack, and PostgreSQL quotes
 * values in `detail` and in the messages of class 22; so of a stack only the frames are kept, and of a
 * database's error its code, constraint, table and column.
 */
export function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const fields = error as Error & Record<string, unknown>;
  const logged: LoggedError = { type: error.name, message: messageOf(fields) };
  for (const name of ["code", "status", "errno", "syscall", ...(isPostgres(fields) ? POSTGRES_FIELDS : [])]) {
    const value = fields[name];
    if (typeof value === "string" || typeof value === "number") logged[name] = value;
  }
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  if (frames && frames.length > 0) logged.stack = frames.join("\n");
  if (depth < CAUSES_MAX) {
    if (error.cause !== undefined) logged.cause = serializeError(error.cause, depth + 1);
    if (error instanceof AggregateError) {
      logged.errors = error.errors.slice(0, CAUSES_MAX).map((one) => serializeError(one, depth + 1));
    }
  }
  return logged;
}

const POSTGRES_FIELDS = [
  "severity",
  "schema_name",
  "table_name",
  "column_name",
  "constraint_name",
  "routine",
];

function messageOf(error: Error & Record<string, unknown>): string {
  if ("query" in error && "params" in error) return "a query failed";
  const { message } = error;
  if (!isPostgres(error) || !String(error.code).startsWith("22")) return message;
  return message.split(/[:"]/)[0]?.trim() ?? "";
}

function isPostgres(error: object): error is { code: string } {
  return "severity" in error && "code" in error;
}
