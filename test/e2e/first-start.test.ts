import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary, folderFor, killApps, runApp, startServe } from "../harness/binary.ts";
import { until } from "../harness/receiver.ts";

setDefaultTimeout(60_000);
beforeAll(binary);
afterAll(killApps);

test("a first start begins with the partitions of the next weeks, and the schedule makes the later ones", async () => {
  const env = { DATA_DIR: folderFor() };
  const serve = await startServe({ env });
  const ran = () =>
    serve.lines().find(({ msg, schedule }) => msg === "schedule ran" && schedule === "partitions");
  await until(() => ran() !== undefined);
  expect(ran()?.made).toBeGreaterThan(0);
  const doctor = await runApp(["ops", "doctor"], { env });
  expect(doctor.stdout).toContain("made for the weeks to come");
  serve.kill("SIGTERM");
  expect(await serve.exited).toBe(0);
});
