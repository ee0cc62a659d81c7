import { expect, test } from "bun:test";
import { join } from "node:path";
import { restartWith } from "../../src/lib/restart.ts";

const program = join(import.meta.dir, "../harness/restarting.ts");

test.skipIf(process.platform !== "linux")(
  "it starts over once, as the same process, with what it was given and what was missing",
  async () => {
    const args = ["serve", "--flag=a b", "", "ü\n"];
    const child = Bun.spawn([process.execPath, program, ...args], {
      env: { PATH: process.env.PATH, SET_BEFORE: "old" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = (await child.stdout.text()).trim().split("\n");
    expect(await child.exited).toBe(0);
    expect(lines.slice(0, 2)).toEqual([`at ${child.pid}`, `at ${child.pid}`]);
    expect(JSON.parse(lines[2] ?? "")).toEqual({ pid: child.pid, args, env: ["old", "a b=ü"] });
    expect(lines).toHaveLength(3);
  },
);

test("where there is nothing to set, or no program, nothing happens", () => {
  restartWith({ PATH: "never" }, [process.execPath, "--version"], process.env);
  restartWith({ NEVER_SET_BY_ANYBODY: "x" }, ["/nowhere/at/all"], {});
  expect(process.env.PATH).not.toBe("never");
});
