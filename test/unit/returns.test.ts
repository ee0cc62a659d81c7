import { expect, test } from "bun:test";
import { statementTimeoutMs } from "../../src/lib/deadline.ts";
import { createReturns } from "../../src/tasks/returns.ts";

/** A queue that holds what was committed under leases, and a clock that is set by hand. */
function createScene() {
  const held = new Set<string>();
  const asked: string[] = [];
  const clock = { ms: 0 };
  const returns = createReturns(
    {
      release: async () => {},
      drop: async () => {},
      async releaseLeases(range) {
        asked.push(range?.from ?? "");
        return held.delete(range?.from ?? "") ? 1 : 0;
      },
    },
    () => clock.ms,
  );
  return { held, asked, clock, returns };
}

test("what a statement without an answer commits later is given back too, until the server has ended it", async () => {
  const { held, asked, clock, returns } = createScene();
  returns.addLease("lost");
  await returns.giveBack();
  for (const ms of [1_000, 4_000, statementTimeoutMs + 1_000]) {
    // It was not there the last time.
    held.add("lost");
    clock.ms = ms - 1;
    await returns.giveBack();
    expect([ms, held.size]).toEqual([ms, 1]);
    clock.ms = ms;
    await returns.giveBack();
    expect([ms, held.size]).toEqual([ms, 0]);
  }
  clock.ms += 3_600_000;
  await returns.giveBack();
  expect(asked).toEqual(["lost", "lost", "lost", "lost"]);
});

test("a claim that ends well keeps what it took; one that fails gives it back", async () => {
  const { held, asked, returns } = createScene();
  held.add("good").add("bad");
  expect(
    await returns.claimUnder(
      "good",
      async () => 7,
      () => [],
    ),
  ).toBe(7);
  const failing = returns.claimUnder(
    "bad",
    () => Promise.reject(new Error("cut")),
    () => [],
  );
  expect(await failing.catch((error: Error) => error.message)).toBe("cut");
  await returns.giveBack();
  expect([...held]).toEqual(["good"]);
  expect(asked).toEqual(["bad"]);
});
