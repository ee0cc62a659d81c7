import { afterAll } from "bun:test";
import { killTestPostgres, stopTestPostgres } from "./postgres.ts";

afterAll(stopTestPostgres);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    killTestPostgres();
    process.exit(130);
  });
}
process.on("exit", killTestPostgres);
