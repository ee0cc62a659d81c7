/** A promise was not settled in time. What it stood for may or may not have happened. */
export class DeadlineError extends Error {
  readonly code = "DEADLINE";
  override readonly name = "DeadlineError";
}

/**
 * The promise's result, or a DeadlineError. For statements: the server ends a slow one itself, but while there is no
 * server the driver keeps them waiting for a connection, however long.
 */
export function withDeadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${timeoutMs} ms`)), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The server's own limit for a hot statement, and when to stop waiting for the server to keep it. */
export const statementTimeoutMs = 10_000;
export const statementDeadlineMs = 12_000;
