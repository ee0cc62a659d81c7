import { expect, test } from "bun:test";
import { createThrottled, type ThrottledOptions } from "../../src/tasks/throttled.ts";

// With stand-ins: in PostgreSQL the moments come back with time, so that whose turn it was depends on the machine.
test("of endpoints that take the same moments, the one that has waited longest comes first", async () => {
  let asked: string[] = [];
  const throttled = createThrottled({
    throttles: {
      // Whoever asks first takes all the moments that there are.
      async claim(endpointId: string) {
        asked.push(endpointId);
        return asked.length === 1 ? [{ gone: true }] : [];
      },
    },
    returns: { claimUnder: (_lease: string, claim: () => Promise<unknown[]>) => claim() },
    nextLease: () => crypto.randomUUID(),
    leaseMs: 1_000,
    deliveriesMax: 10,
    start: () => {},
    claimAgainIn: () => {},
  } as unknown as ThrottledOptions);
  const rounds: string[][] = [];
  for (let round = 0; round < 4; round += 1) {
    asked = [];
    await throttled.claim(["a", "b", "c"]);
    rounds.push(asked);
  }
  expect(rounds.map(([first]) => first)).toEqual(["a", "b", "c", "a"]);
});
