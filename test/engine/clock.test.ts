import { afterAll, expect, spyOn, test } from "bun:test";
import { type Engine, startEngine } from "../harness/engine.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

const hourMs = 3_600_000;

test.each([
  ["forward", hourMs],
  ["back", -hourMs],
])(
  "a jump of this host's clock %s delays no delivery and no retry, and repeats none",
  async (_, jumpMs) => {
    const engine: Engine = await startEngine({
      env: { RETRY_SCHEDULE: "0.2,0.2", ENDPOINT_CONCURRENCY: "4" },
    });
    stops.push(() => engine.stop());
    const to = startReceiver();
    stops.push(() => to.stop());
    const failed = new Set<string>();
    let arrivals = 0;
    to.answer = async ({ id }) => {
      await Bun.sleep(5);
      arrivals += 1;
      // Seldom enough to leave the breaker closed.
      if (arrivals % 3 !== 0 || failed.has(id)) return { status: 204 };
      failed.add(id);
      return { status: 503 };
    };
    const app = await engine.addApplication();
    await engine.addEndpoint(app, to.url);
    const before = await engine.send(app, 40);
    await to.waitFor(10);
    // Some wait in memory under a lease now, some in the queue, some for a retry.
    const { now } = Date;
    const clock = spyOn(Date, "now").mockImplementation(() => now() + jumpMs);
    stops.push(async () => clock.mockRestore());
    const after = await engine.send(app, 10);
    await until(async () => (await engine.queued()).length === 0, 20_000);
    clock.mockRestore();
    const attempts = await engine.attempts();
    const ended = attempts.filter((one) => one.status === 0).map((one) => one.message_id);
    expect(ended.toSorted()).toEqual([...before, ...after].toSorted());
    expect(to.received).toHaveLength(50 + failed.size);
    expect(failed.size).toBeGreaterThan(5);
  },
  60_000,
);
