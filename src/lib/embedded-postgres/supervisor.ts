import type { Logger } from "../log.ts";
import type { Postmaster } from "./postmaster.ts";

/** Waits between attempts to bring a server back; the last repeats. The first leaves its orphaned backends time to go. */
const BACKOFF_MS = [100, 200, 500, 1_000, 2_000, 5_000];

/** A server that ran this long starts its backoff anew. */
const SETTLED_MS = 60_000;

/**
 * Watches the server and brings it back when it dies, for as long as it takes, until `stop()`, which waits
 * for an attempt that is under way.
 */
export function supervise(
  first: Postmaster,
  restart: () => Promise<Postmaster>,
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = Promise.withResolvers<void>();
  let stopped = false;

  async function watch(): Promise<void> {
    let current = first;
    let failures = 0;
    while (!stopped) {
      const since = performance.now();
      const reason = await Promise.race([current.exited, stopping.promise]);
      if (stopped) return;
      log.error({ postgresPid: current.pid, reason }, "PostgreSQL ended unexpectedly: starting it again");
      if (performance.now() - since > SETTLED_MS) failures = 0;
      for (let next: Postmaster | null = null; !next; ) {
        await Promise.race([Bun.sleep(BACKOFF_MS[failures] ?? BACKOFF_MS.at(-1) ?? 0), stopping.promise]);
        if (stopped) return;
        failures += 1;
        next = await restart().catch((error) => {
          log.error({ err: error, failures }, "PostgreSQL can't be started again yet");
          return null;
        });
        if (next) current = next;
      }
    }
  }

  const watching = watch();
  return {
    stop() {
      stopped = true;
      stopping.resolve();
      return watching;
    },
  };
}
