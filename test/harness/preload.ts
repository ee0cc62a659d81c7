import { afterAll, beforeAll } from "bun:test";
import { killTestPostgres, stopTestPostgres, testPostgres } from "./postgres.ts";

// Here and not in the first test that asks: on a busy machine it takes longer than a test may.
if (process.env.TEST_WITHOUT_POSTGRES === undefined) {
  beforeAll(async () => {
    await testPostgres();
  }, 120_000);
}
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
