/**
 * What a failed query says about itself. Codes: https://www.postgresql.org/docs/18/errcodes-appendix.html and, for the
 * connection's own failures, postgres.js.
 */

const connectionCodes = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "DEADLINE",
]);
const tooManyConnections = "53300";
/** What `statement_timeout` ends a statement with. */
const queryCanceled = "57014";
/** The server went away or is on its way up or down, or can't keep up. */
const unavailableStates = new Set(["57P01", "57P02", "57P03", queryCanceled]);
/** The connection failed; no connection, disk or memory left. */
const unavailableClasses = new Set(["08", "53"]);
/** Rolled back whole for a reason that is gone on the next try: serialization failure, deadlock. */
const retriableStates = new Set(["40001", "40P01"]);

/** What the server or the connection said; drizzle hides it in `cause`. */
function said(error: unknown): { code: string; message: string } | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return { code: at.code, message: at.message };
  }
  return null;
}

/** The SQLSTATE or the connection error's code. */
export const postgresErrorCode = (error: unknown): string | null => said(error)?.code ?? null;

/** The database can't be used at the moment; whether the statement took effect is not known. */
export function isUnavailable(error: unknown): boolean {
  const code = postgresErrorCode(error);
  if (code === null) return false;
  return connectionCodes.has(code) || unavailableStates.has(code) || unavailableClasses.has(code.slice(0, 2));
}

/** No disk or memory is left for what was to be written. */
export function isOutOfRoom(error: unknown): boolean {
  const code = postgresErrorCode(error) ?? "";
  return code.startsWith("53") && code !== tooManyConnections;
}

/** The server answers, and has no connection free. */
export const isTooManyConnections = (error: unknown): boolean =>
  postgresErrorCode(error) === tooManyConnections;

/** The server is on its way up, or recovers. */
export const isStartingUp = (error: unknown): boolean => postgresErrorCode(error) === "57P03";

/** The row is there already. */
export const isUniqueViolation = (error: unknown): boolean => postgresErrorCode(error) === "23505";

/** The statement had no effect and may simply be sent again. */
export function isRetriable(error: unknown): boolean {
  const code = postgresErrorCode(error);
  return code !== null && retriableStates.has(code);
}

/** A row has no partition to go to. It is a check violation that names no constraint. */
export function isMissingPartition(error: unknown): boolean {
  const { code, message = "" } = said(error) ?? {};
  return code === "23514" && message.startsWith("no partition");
}
