import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { createRepos } from "../../src/repos/index.ts";
import { createHealthChecks } from "../../src/services/health.ts";
import { type Api, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

test("health is open, and says what works", async () => {
  const answer = await api.request("GET", "/health", { token: null });
  expect([answer.status, answer.body]).toEqual([
    200,
    { database: { status: "ok" }, queue: { status: "ok" }, cache: { status: "ok" } },
  ]);
  expect((await api.request("GET", "/health/", { token: null })).status).toBe(200);
});

test("a HEAD has the status and no body", async () => {
  const answer = await api.request("HEAD", "/health", { token: null });
  expect([answer.status, answer.text]).toEqual([200, ""]);
});

test("ping touches nothing", async () => {
  for (const method of ["GET", "HEAD"]) {
    const answer = await api.request(method, "/health/ping", { token: "no token at all" });
    expect([answer.status, answer.text]).toEqual([204, ""]);
  }
});

test("no method but GET and HEAD", async () => {
  expect((await api.request("POST", "/health", { token: null })).status).toBeGreaterThanOrEqual(404);
});

test("a database that takes nothing is a 500 that names what is missing, and when to come back", async () => {
  await api.database.sql`alter table health_checks rename to away`;
  // What was found a moment ago is believed for a second.
  await until(async () => (await api.request("GET", "/health", { token: null })).status === 500);
  const answer = await api.request("GET", "/health", { token: null });
  expect(answer.body).toEqual({
    database: { status: "error" },
    queue: { status: "error" },
    cache: { status: "ok" },
  });
  expect(answer.headers.get("retry-after")).toBe("1");
  const head = await api.request("HEAD", "/health", { token: null });
  expect([head.status, head.headers.get("retry-after")]).toEqual([500, "1"]);
  await api.database.sql`alter table away rename to health_checks`;
  await until(async () => (await api.request("GET", "/health", { token: null })).status === 200);
});

/** Checks by a clock of the test's, which writes that succeed. */
function stage() {
  const clock = { ms: 1_000_000 };
  let writes = 0;
  const write = async () => {
    writes += 1;
  };
  const checks = createHealthChecks({ health: { write } }, () => clock.ms);
  return { clock, checks, writes: () => writes };
}

test("one write serves all who ask within a second", async () => {
  const { clock, checks, writes } = stage();
  await Promise.all([checks.check(), checks.check()]);
  clock.ms += 999;
  await checks.check();
  expect(writes()).toBe(1);
  clock.ms += 1;
  await checks.check();
  expect(writes()).toBe(2);
});

test.each([
  ["53100", false],
  ["53200", false],
  ["53300", true],
  ["57014", true],
])("after a request that failed with %s it is healthy: %p", async (code, expected) => {
  const { clock, checks } = stage();
  const cause = Object.assign(new Error("no room"), { code });
  checks.failed(new Error("Failed query", { cause }));
  expect((await checks.check()).healthy).toBe(expected);
  clock.ms += 10_000;
  expect((await checks.check()).healthy).toBe(true);
});

test("without the database it is not healthy", async () => {
  const nowhere = connect("postgres://127.0.0.1:1/none", {
    max: 1,
    prepare: false,
    applicationName: "posthorn test",
  });
  expect((await createHealthChecks(createRepos(nowhere)).check()).healthy).toBe(false);
  await nowhere.end({ timeout: 0 });
});
