import { expect, test } from "bun:test";
import { join } from "node:path";

const program = join(import.meta.dir, "../harness/restarting.ts");

async function run(args: string[], env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, program, ...args], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = (await child.stdout.text()).trim().split("\n");
  expect(await child.exited).toBe(0);
  return { pid: child.pid, starts: lines.slice(0, -1), end: JSON.parse(lines.at(-1) ?? "") };
}

// Elsewhere it returns at once: there is no /proc to read the arguments from.
test.skipIf(process.platform !== "linux")(
  "it starts over once, as the same process, with what it was given and what was missing",
  async () => {
    const args = ["serve", "--flag=a b", "", "ü\n"];
    const { pid, starts, end } = await run(args, { SET_BEFORE: "old" });
    expect(starts).toEqual([`at ${pid}`, `at ${pid}`]);
    expect(end).toEqual({ pid, args, env: ["old", "a b=ü"] });
  },
);

test("where everything is set it goes on as it is", async () => {
  const { pid, starts, end } = await run([], { SET_BEFORE: "old", SET_NOW: "" });
  expect(starts).toEqual([`at ${pid}`]);
  expect(end).toEqual({ pid, args: [], env: ["old", ""] });
});
