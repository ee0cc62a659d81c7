import { afterAll, setDefaultTimeout } from "bun:test";
import { killTestPostgres, stopTestPostgres } from "./postgres.ts";

// The first test that asks for a database waits for PostgreSQL's own start, on a machine that may be busy.
setDefaultTimeout(60_000);

afterAll(stopTestPostgres);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    killTestPostgres();
    process.exit(130);
  });
}
process.on("exit", killTestPostgres);
