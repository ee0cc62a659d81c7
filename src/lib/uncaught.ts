import type { Logger } from "./log.ts";

/**
 * From now on what nobody has caught is logged, and the process goes on: what else it is doing is sound, and ending it
 * would end that too.
 */
export function logUncaught(log: Logger): void {
  for (const event of ["unhandledRejection", "uncaughtException"] as const) {
    process.on(event, (error: unknown) => log.error({ err: error, event }, "a failure that nobody caught"));
  }
}
