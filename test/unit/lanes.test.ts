import { expect, test } from "bun:test";
import { Lanes } from "../../src/lib/lanes.ts";

/** Lanes whose work ends when the test says so. */
function createStage(caps: { concurrency: number; laneConcurrency: number }) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const ended: [string, number][] = [];
  const lanes = new Lanes<string>({
    ...caps,
    run: (item) => {
      started.push(item);
      return new Promise((resolve) => ends.set(item, resolve));
    },
    onEnd: (lane, waiting) => void ended.push([lane, waiting]),
  });
  const end = async (item: string) => {
    ends.get(item)?.();
    await Bun.sleep(0);
  };
  return { lanes, started, end, ended };
}

test("a lane never runs more than its cap, and the rest never more than the whole", async () => {
  const { lanes, started, end } = createStage({ concurrency: 4, laneConcurrency: 2 });
  for (const item of ["a1", "a2", "a3"]) lanes.push("t", "a", item);
  expect(started).toEqual(["a1", "a2"]);
  for (const item of ["b1", "b2"]) lanes.push("t", "b", item);
  expect(started).toEqual(["a1", "a2", "b1"]);
  expect([lanes.running, lanes.waiting]).toEqual([3, 2]);
  await end("b1");
  expect(started).toEqual(["a1", "a2", "b1", "b2"]);
  await end("a1");
  await end("b2");
  expect(started.at(-1)).toBe("a3");
});

test("lanes that hang, however many, leave places for those that don't", async () => {
  const { lanes, started, end } = createStage({ concurrency: 64, laneConcurrency: 32 });
  for (let lane = 0; lane < 10; lane += 1) {
    for (let n = 0; n < 20; n += 1) lanes.push(`hanging${lane}`, `hanging${lane}`, `h${lane}-${n}`);
  }
  expect(lanes.running).toBeLessThan(64);
  lanes.push("good", "good", "g1");
  lanes.push("good", "good", "g2");
  expect(started).toContain("g1");
  await end("g1");
  expect(started).toContain("g2");
});

test("tenants take turns, and a tenant's lanes among themselves, whatever waits in one of them", async () => {
  const { lanes, started, end } = createStage({ concurrency: 1, laneConcurrency: 1 });
  lanes.push("big", "b1", "first");
  for (let n = 0; n < 50; n += 1) lanes.push("big", "b1", `b1-${n}`);
  lanes.push("big", "b2", "b2-0");
  lanes.push("small", "s1", "s1-0");
  for (let n = 0; n < 4; n += 1) await end(started.at(-1) as string);
  expect(new Set(started.slice(1, 4))).toEqual(new Set(["s1-0", "b2-0", "b1-0"]));
});

test("pausing gives back what has not started, and idle waits for what has", async () => {
  const { lanes, started, end } = createStage({ concurrency: 1, laneConcurrency: 1 });
  for (const item of ["a1", "a2", "a3"]) lanes.push("t", "a", item);
  expect(lanes.pause()).toEqual(["a2", "a3"]);
  let idle = false;
  const waiting = lanes.idle().then(() => {
    idle = true;
  });
  await Bun.sleep(0);
  expect(idle).toBe(false);
  await end("a1");
  await waiting;
  expect(started).toEqual(["a1"]);
  expect([lanes.running, lanes.waiting]).toEqual([0, 0]);
});

test("says which lanes are full, and what waits in one where something ended", async () => {
  const { lanes, end, ended } = createStage({ concurrency: 2, laneConcurrency: 1 });
  for (const item of ["a1", "a2", "a3"]) lanes.push("t", "a", item);
  lanes.push("t", "b", "b1");
  expect(lanes.lanesWith(2)).toEqual(["a"]);
  expect(lanes.lanesWith(3)).toEqual([]);
  await end("b1");
  expect(ended).toEqual([["b", 0]]);
  expect(lanes.empty("a")).toEqual(["a2", "a3"]);
  expect([lanes.lanesWith(1), lanes.waiting]).toEqual([[], 0]);
});
