import { expect, test } from "bun:test";
import { createGroupCommit, type GroupCommitOptions } from "../../src/lib/group-commit.ts";

function createStage(options: Partial<GroupCommitOptions<number, string>> = {}) {
  const groups: number[][] = [];
  const ends: ((outcome: "commit" | "fail") => void)[] = [];
  const group = createGroupCommit<number, string>({
    itemsMax: 100,
    parallel: 1,
    ...options,
    run: async (items) => {
      // As a driver does: it sends in a later step of this turn.
      await null;
      groups.push(items);
      return new Promise((resolve, reject) =>
        ends.push((outcome) =>
          outcome === "commit" ? resolve(items.map((item) => `done ${item}`)) : reject(new Error("no")),
        ),
      );
    },
  });
  return { group, groups, ends };
}

test("what arrives while a commit is under way shares the next one, and each gets its own result", async () => {
  const { group, groups, ends } = createStage();
  const first = group.submit(1);
  await Bun.sleep(0);
  const rest = [group.submit(2), group.submit(3)];
  await Bun.sleep(0);
  expect(groups).toEqual([[1]]);
  ends[0]?.("commit");
  expect(await first).toBe("done 1");
  await Bun.sleep(0);
  expect(groups).toEqual([[1], [2, 3]]);
  ends[1]?.("commit");
  expect(await Promise.all(rest)).toEqual(["done 2", "done 3"]);
  expect(group.size).toBe(0);
});

test("what is submitted in one turn goes out together", async () => {
  const { group, groups } = createStage();
  for (const item of [1, 2, 3]) void group.submit(item);
  await Bun.sleep(0);
  expect(groups).toEqual([[1, 2, 3]]);
});

test("the next group is under way before anybody of the last one is told", async () => {
  const { group, groups, ends } = createStage();
  const first = group.submit(1).then(() => groups.length);
  await Bun.sleep(0);
  void group.submit(2);
  ends[0]?.("commit");
  expect(await first).toBe(2);
});

test("no group is larger than the cap, and no more of them run than allowed", async () => {
  const { group, groups, ends } = createStage({ itemsMax: 2, parallel: 2 });
  for (const item of [1, 2, 3, 4, 5]) void group.submit(item);
  await Bun.sleep(0);
  expect(groups).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(group.size).toBe(5);
  ends[0]?.("commit");
  await Bun.sleep(0);
  expect(groups[2]).toEqual([5]);
});

test("of many that wait a part stays for the next group, so that nobody works alone in turns", async () => {
  const { group, groups, ends } = createStage({ share: 2 / 3 });
  const sizeOf = (n: number) => groups[n]?.length;
  for (let item = 0; item < 63; item += 1) void group.submit(item);
  await Bun.sleep(0);
  expect([sizeOf(0), group.size]).toEqual([42, 63]);
  // Each caller comes back with the next item as soon as it is answered, as a connection does.
  for (let n = 0; n < 12; n += 1) {
    ends[n]?.("commit");
    await Bun.sleep(0);
    for (let item = 0; item < (sizeOf(n) ?? 0); item += 1) void group.submit(item);
  }
  const sizes = groups.slice(-4).map((items) => items.length);
  for (const size of sizes) expect(Math.abs(size - 25)).toBeLessThanOrEqual(2);
});

test("groups keep apart, unless somebody is in a hurry or there are many", async () => {
  const { group, groups, ends } = createStage({ itemsMax: 4, apartMs: 3_600_000 });
  void group.submit(1);
  await Bun.sleep(0);
  ends[0]?.("commit");
  void group.submit(2);
  await Bun.sleep(20);
  expect(groups).toEqual([[1]]);
  void group.submit(3, { soon: true });
  await Bun.sleep(0);
  expect(groups).toEqual([[1], [2, 3]]);
  ends[1]?.("commit");
  await Bun.sleep(0);
  for (const item of [4, 5, 6, 7]) void group.submit(item);
  await Bun.sleep(0);
  expect(groups[2]).toEqual([4, 5, 6, 7]);
});

test("what was kept apart goes when its time has come, and idle waits for it", async () => {
  const { group, groups, ends } = createStage({ apartMs: 5 });
  void group.submit(1);
  await Bun.sleep(0);
  ends[0]?.("commit");
  void group.submit(2);
  let isIdle = false;
  const idle = group.idle().then(() => {
    isIdle = true;
  });
  while (groups.length < 2) await Bun.sleep(1);
  expect(isIdle).toBe(false);
  ends[1]?.("commit");
  await idle;
  expect([groups, group.size]).toEqual([[[1], [2]], 0]);
});

test("a group that fails fails for each of its callers, and the next goes on", async () => {
  const { group, ends } = createStage();
  const failing = [group.submit(1), group.submit(2)];
  await Bun.sleep(0);
  ends[0]?.("fail");
  expect((await Promise.allSettled(failing)).map((one) => one.status)).toEqual(["rejected", "rejected"]);
  const next = group.submit(3);
  await Bun.sleep(0);
  ends[1]?.("commit");
  expect(await next).toBe("done 3");
  await group.idle();
});
