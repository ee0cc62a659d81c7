import { afterAll, beforeAll, expect, test } from "bun:test";
import { createRepos } from "../../src/repos/index.ts";
import { countAttempts } from "../../src/services/attempt-counts.ts";
import type { Api } from "../harness/api.ts";
import { ago, startAttemptScene } from "../harness/attempt-scene.ts";
import type { Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let rows: Rows;
let tokens: Record<string, string> = {};
beforeAll(async () => {
  ({ api, rows, tokens } = await startAttemptScene());
});
afterAll(() => api.stop());

const states = (...expected: [string, number][]) => ({
  status: 200 as const,
  has: { data: expected.map(([eventId, status]) => ({ eventId, status })), done: true },
});

runScenarios(
  () => api,
  [
    {
      name: "what an endpoint was sent, and how far it has come",
      request: "GET /app/own/endpoint/ep/msg",
      shape: "ListResponse_EndpointMessageOut_",
      ...states(["m5", 1], ["m4", 3], ["m3", 3], ["m2", 2], ["m1", 0]),
      check: ({ text, body }) => {
        expect(text).toContain('"payload":{"n":1.0}');
        const texts = body.data.map(({ statusText }: { statusText: string }) => statusText);
        expect(texts).toEqual(["pending", "sending", "sending", "fail", "success"]);
        expect(body.data[2].nextAttempt).toBe("2030-01-01T00:00:00.000Z");
        expect(body.data[3].nextAttempt).toBeNull();
      },
    },
    { name: "succeeded", request: "GET /app/own/endpoint/ep/msg?status=0", ...states(["m1", 0]) },
    { name: "not begun", request: "GET /app/own/endpoint/ep/msg?status=1", ...states(["m5", 1]) },
    { name: "failed for good", request: "GET /app/own/endpoint/ep/msg?status=2", ...states(["m2", 2]) },
    {
      name: "in progress",
      request: "GET /app/own/endpoint/ep/msg?status=3",
      ...states(["m4", 3], ["m3", 3]),
    },
    { name: "canceled", request: "GET /app/own/endpoint/ep/msg?status=4", ...states() },
    {
      name: "of a type",
      request: "GET /app/own/endpoint/ep/msg?event_types=order.paid",
      ...states(["m2", 2]),
    },
    { name: "of a channel", request: "GET /app/own/endpoint/ep2/msg?channel=c1", ...states(["m1", 0]) },
    { name: "of a tag", request: "GET /app/own/endpoint/ep/msg?tag=t1", ...states(["m1", 0]) },
    {
      name: "without content",
      request: "GET /app/own/endpoint/ep2/msg?with_content=false",
      status: 200,
      has: { data: [{ payload: {} }] },
    },
    { name: "of no endpoint", request: "GET /app/own/endpoint/none/msg", status: 404 },
    { name: "of another org", request: "GET /app/own/endpoint/ep/msg", as: "otherOrg", status: 404 },
    { name: "of another app", request: "GET /app/own/endpoint/ep/msg", as: "otherApp", status: 404 },

    {
      name: "where a message went",
      request: "GET /app/own/msg/m1/endpoint",
      status: 200,
      shape: "ListResponse_MessageEndpointOut_",
      has: {
        data: [
          { uid: "ep", status: 0 },
          { uid: "ep2", status: 0 },
        ],
        done: true,
      },
    },
    {
      name: "where a message will go",
      request: "GET /app/own/msg/m5/endpoint",
      status: 200,
      has: { data: [{ uid: "ep", status: 1, statusText: "pending" }], done: true },
    },
    {
      name: "where a message went nowhere",
      request: "GET /app/own/msg/elsewhere/endpoint",
      status: 200,
      has: { data: [], done: true, iterator: null },
    },
    { name: "where no message went", request: "GET /app/own/msg/none/endpoint", status: 404 },
    { name: "another org's look", request: "GET /app/own/msg/m1/endpoint", as: "otherOrg", status: 404 },
    { name: "an iterator of messages", request: "GET /app/own/msg/m1/endpoint?iterator=msg_1", status: 422 },

    {
      name: "counts",
      request: "GET /app/own/endpoint/ep/stats",
      status: 200,
      shape: "EndpointStats",
      has: { success: 1, fail: 3, pending: 2, sending: 1, canceled: 0 },
    },
    {
      name: "counts before anything was",
      request: `GET /app/own/endpoint/ep/stats?until=${ago(600).toISOString()}`,
      status: 200,
      has: { success: 0, fail: 0, pending: 0, sending: 0 },
    },
    {
      name: "more than 28 days",
      request: `GET /app/own/endpoint/ep/stats?since=${ago(29 * 1440).toISOString()}`,
      status: 400,
      code: "invalid_range",
    },
    {
      name: "the future",
      request: `GET /app/own/endpoint/ep/stats?until=${ago(-60).toISOString()}`,
      status: 400,
      code: "invalid_range",
    },
    {
      name: "the wrong way round",
      request: `GET /app/own/endpoint/ep/stats?since=${ago(5).toISOString()}&until=${ago(6).toISOString()}`,
      status: 400,
      code: "invalid_range",
    },
    {
      name: "no time",
      request: "GET /app/own/endpoint/ep/stats?since=now",
      status: 400,
      code: "generic_error",
    },
    { name: "of no endpoint", request: "GET /app/own/endpoint/none/stats", status: 404 },
    { name: "of another org", request: "GET /app/own/endpoint/ep/stats", as: "otherOrg", status: 404 },
  ],
  () => tokens,
);

test("stats are the same once hours are counted", async () => {
  const path = "/app/own/endpoint/ep/stats";
  const before = await api.request("GET", path);
  const repos = createRepos(api.database.sql);
  const now = new Date(Date.now() + 2 * 3_600_000);
  const { signal } = new AbortController();
  while ((await countAttempts({ repos, now, retentionDays: 90, signal })) > 0) {}
  const [row] = await api.database.sql`select sum(failed)::int as failed from attempt_counts`;
  expect(row?.failed).toBeGreaterThan(0);
  expect((await api.request("GET", path)).body).toEqual(before.body);
});

test("a deleted endpoint stays in what became of a message, and leads back through the pages", async () => {
  const app = await rows.application({ uid: "many" });
  const message = await rows.message(app.id, { eventId: "wide" });
  const endpoints: { id: string }[] = [];
  for (let n = 0; n < 5; n += 1) endpoints.push(await rows.endpoint(app.id, { uid: `e${n}` }));
  for (const endpoint of endpoints) await rows.attempt(app.id, message, endpoint);
  expect((await api.request("DELETE", "/app/many/endpoint/e2")).status).toBe(204);
  const get = async (query: string) =>
    (await api.request("GET", `/app/many/msg/wide/endpoint?limit=2${query}`)).body;
  const shown = (body: { data: { id: string }[] }) =>
    body.data.map(({ id }) => endpoints.findIndex((e) => e.id === id));
  const first = await get("");
  const second = await get(`&iterator=${first.iterator}`);
  const third = await get(`&iterator=${second.iterator}`);
  expect([first, second, third].map(shown)).toEqual([[0, 1], [2, 3], [4]]);
  expect([first.done, second.done, third.done]).toEqual([false, false, true]);
  expect(shown(await get(`&iterator=${third.prevIterator}`))).toEqual([2, 3]);
});
