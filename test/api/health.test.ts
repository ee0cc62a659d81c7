import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { createRepos } from "../../src/repos/index.ts";
import { checkHealth } from "../../src/services/health.ts";
import { type Api, startApi } from "../harness/api.ts";

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

test("without the database it is a 500 that names what is missing", async () => {
  const nowhere = connect("postgres://127.0.0.1:1/none", {
    max: 1,
    prepare: false,
    applicationName: "posthorn test",
  });
  const { healthy, report } = await checkHealth(createRepos(nowhere));
  expect(healthy).toBe(false);
  expect(report).toEqual({
    database: { status: "error" },
    queue: { status: "error" },
    cache: { status: "ok" },
  });
  await nowhere.end({ timeout: 0 });
});
