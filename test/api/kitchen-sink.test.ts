import { expect, test } from "bun:test";
import { join } from "node:path";
import { orgToken, startApi } from "../harness/api.ts";

test("the SDK's own test against a server passes, as it is in the package", async () => {
  const api = await startApi();
  const file = join(import.meta.dir, "../../node_modules/svix/src/KitchenSink.test.ts");
  const run = Bun.spawn([process.execPath, "test", file, "--timeout", "30000"], {
    // Away from our own bunfig, whose preload would start a second PostgreSQL.
    cwd: join(import.meta.dir, "../../node_modules/svix"),
    env: { ...process.env, SVIX_TOKEN: await orgToken("org_kitchen"), SVIX_SERVER_URL: api.url },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = (await run.stdout.text()) + (await run.stderr.text());
  expect([await run.exited, output]).toEqual([0, output]);
  // Without a server it would skip itself.
  expect(output).toMatch(/(pass|ok).*e2e tests/);
  expect(output).not.toMatch(/unset|skip 1|[1-9] skip/);
  // And what it did was done here.
  const token = await orgToken("org_kitchen");
  const types = await api.request("GET", "/event-type", { token });
  expect(types.body.data.map(({ name }: { name: string }) => name)).toEqual(["event.ended", "event.started"]);
  await api.stop();
}, 60_000);
