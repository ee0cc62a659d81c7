import { expect, test } from "bun:test";
import { join } from "node:path";

const source = (file: string) => JSON.stringify(join(import.meta.dir, "../../src/lib", file));

test.each([
  ["a rejection", 'void Promise.reject(new Error("nobody cares"));'],
  ["an exception", 'setTimeout(() => { throw new Error("nobody cares"); });'],
])("%s that nobody caught is logged, and the process goes on", (_, fault) => {
  const program = `
    import { createLogger } from ${source("log.ts")};
    import { logUncaught } from ${source("uncaught.ts")};
    logUncaught(createLogger({ level: "info", format: "json" }));
    ${fault}
    setTimeout(() => console.error("still here"), 50);`;
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program]);
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "still here\n" });
  expect(JSON.parse(stdout.toString())).toMatchObject({
    level: "error",
    msg: "a failure that nobody caught",
    err: { message: "nobody cares" },
  });
});
