import { afterAll, setDefaultTimeout } from "bun:test";
import { killTestPostgres, stopTestPostgres } from "./postgres.ts";

// The first test that asks for a database waits for PostgreSQL's own start, on a machine that may be busy.
setDefaultTimeout(60_000);

afterAll(stopTestPostgres);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // A test that listens too has sent it to itself.
    if (process.listenerCount(signal) > 1) return;
    killTestPostgres();
    process.exit(130);
  });
}
process.on("exit", killTestPostgres);
