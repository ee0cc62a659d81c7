import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { prepareHistory } from "../harness/history.ts";
import { createRows, type Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
const ids = { good: newId("atmpt_", Date.now() - 3_480_000), bad: newId("atmpt_", Date.now() - 3_540_000) };

let api: Api;
let rows: Rows;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  await prepareHistory(api.database);
  rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  const other = await rows.application({ uid: "other" });
  const ep = await rows.endpoint(app.id, { uid: "ep" });
  const ep2 = await rows.endpoint(app.id, { uid: "ep2" });
  const foreign = await rows.endpoint(other.id, { uid: "foreign" });

  // m1 succeeded at the second try; m2 failed for good; m3 is to be retried; m4 is under way; m5 has not begun.
  const m1 = await rows.message(app.id, {
    at: ago(60),
    eventId: "m1",
    channels: ["c1"],
    payload: '{"n":1.0}',
  });
  await rows.attempt(app.id, m1, ep, { id: ids.bad, status: 2, response: "busy", nextAt: ago(58) });
  await rows.attempt(app.id, m1, ep, { id: ids.good, attempt: 2, response: "thanks" });
  await rows.attempt(app.id, m1, ep2, { at: ago(59), responseStatusCode: 201 });
  const m2 = await rows.message(app.id, { at: ago(50), eventId: "m2", eventType: "order.paid" });
  await rows.attempt(app.id, m2, ep, { at: ago(49), status: 2, responseStatusCode: 404 });
  const m3 = await rows.message(app.id, { at: ago(40), eventId: "m3" });
  await rows.attempt(app.id, m3, ep, { at: ago(39), status: 2, responseStatusCode: 0, response: "refused" });
  await rows.delivery(app.id, m3, ep, { dueAt: new Date("2030-01-01T00:00:00Z"), attempt: 1, priority: 1 });
  const m4 = await rows.message(app.id, { at: ago(30), eventId: "m4" });
  await rows.delivery(app.id, m4, ep, { lease: crypto.randomUUID(), dueAt: ago(-1) });
  const m5 = await rows.message(app.id, { at: ago(20), eventId: "m5" });
  await rows.delivery(app.id, m5, ep);
  await rows.message(app.id, { at: ago(10), eventId: "elsewhere" });
  const theirs = await rows.message(other.id, { at: ago(5), eventId: "theirs" });
  await rows.attempt(other.id, theirs, foreign, { response: "not for own" });

  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const codes = (...responseStatusCodes: number[]) => ({
  status: 200 as const,
  has: { data: responseStatusCodes.map((responseStatusCode) => ({ responseStatusCode })), done: true },
});
const states = (...expected: [string, number][]) => ({
  status: 200 as const,
  has: { data: expected.map(([eventId, status]) => ({ eventId, status })), done: true },
});
const byEndpoint = "/app/own/attempt/endpoint/ep";
const byMessage = "/app/own/attempt/msg/m1";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${byEndpoint}`, as: null, status: 401 },
    {
      name: "newest first",
      request: `GET ${byEndpoint}`,
      shape: "ListResponse_MessageAttemptOut_",
      ...codes(0, 404, 200, 500),
      hasNot: ["not for own"],
    },
    { name: "with an app token", request: `GET ${byEndpoint}`, as: "app", status: 200 },
    { name: "another app's token", request: `GET ${byEndpoint}`, as: "otherApp", status: 404 },
    { name: "another org's token", request: `GET ${byEndpoint}`, as: "otherOrg", status: 404 },
    {
      name: "no such endpoint",
      request: "GET /app/own/attempt/endpoint/none",
      status: 404,
      code: "not_found",
    },
    { name: "another application's endpoint", request: "GET /app/own/attempt/endpoint/foreign", status: 404 },
    { name: "failures", request: `GET ${byEndpoint}?status=2`, ...codes(0, 404, 500) },
    { name: "successes", request: `GET ${byEndpoint}?status=0`, ...codes(200) },
    { name: "pending is no attempt", request: `GET ${byEndpoint}?status=1`, ...codes() },
    {
      name: "sending is no attempt",
      request: `GET ${byEndpoint}?status=3&expanded_statuses=true`,
      ...codes(),
    },
    { name: "no response at all", request: `GET ${byEndpoint}?status_code_class=0`, ...codes(0) },
    { name: "4xx", request: `GET ${byEndpoint}?status_code_class=400`, ...codes(404) },
    { name: "failures of 5xx", request: `GET ${byEndpoint}?status_code_class=500&status=2`, ...codes(500) },
    {
      name: "no class",
      request: `GET ${byEndpoint}?status_code_class=250`,
      status: 400,
      code: "generic_error",
    },
    { name: "a class out of range", request: `GET ${byEndpoint}?status_code_class=600`, status: 422 },
    {
      name: "a status out of range",
      request: `GET ${byEndpoint}?status=5`,
      status: 422,
      at: ["query", "status"],
    },
    { name: "a status that is no number", request: `GET ${byEndpoint}?status=fail`, status: 400 },
    { name: "one channel", request: `GET ${byEndpoint}?channel=c1`, ...codes(200, 500) },
    { name: "one event type", request: `GET ${byEndpoint}?event_types[0]=order.paid`, ...codes(404) },
    { name: "a message's iterator", request: `GET ${byEndpoint}?iterator=msg_1`, status: 422 },
    {
      name: "without content",
      request: `GET ${byEndpoint}?with_content=false`,
      status: 200,
      hasNot: ["busy", "refused", "thanks"],
    },
    { name: "of a message", request: `GET ${byMessage}`, ...codes(200, 201, 500) },
    { name: "of a message, failures", request: `GET ${byMessage}?status=2`, ...codes(500) },
    { name: "of a message at an endpoint", request: `GET ${byMessage}?endpoint_id=ep2`, ...codes(201) },
    { name: "at an endpoint of another", request: `GET ${byMessage}?endpoint_id=foreign`, status: 404 },
    { name: "of no message", request: "GET /app/own/attempt/msg/none", status: 404 },
    { name: "of another application's", request: "GET /app/own/attempt/msg/theirs", status: 404 },
    { name: "of a message, another org", request: `GET ${byMessage}`, as: "otherOrg", status: 404 },
    { name: "the first SDKs' list", request: "GET /app/own/msg/m1/attempt?endpoint_id=ep2", ...codes(201) },
    {
      name: "the first SDKs' list by endpoint",
      request: "GET /app/own/msg/m1/endpoint/ep/attempt?status=0",
      shape: "ListResponse_MessageAttemptOut_",
      ...codes(200),
    },
    { name: "the same of no message", request: "GET /app/own/msg/none/endpoint/ep/attempt", status: 404 },
    {
      name: "one attempt",
      request: `GET /app/own/msg/m1/attempt/${ids.bad}`,
      status: 200,
      shape: "MessageAttemptOut",
      has: {
        id: ids.bad,
        status: 2,
        statusText: "fail",
        triggerType: 0,
        response: "busy",
        responseDurationMs: 12,
      },
    },
    { name: "under another message", request: `GET /app/own/msg/m2/attempt/${ids.bad}`, status: 404 },
    { name: "no id", request: "GET /app/own/msg/m1/attempt/none", status: 404 },
    {
      name: "of another org",
      request: `GET /app/own/msg/m1/attempt/${ids.bad}`,
      as: "otherOrg",
      status: 404,
    },
    {
      name: "another org deletes nothing",
      request: `DELETE /app/own/msg/m1/attempt/${ids.bad}/content`,
      as: "otherOrg",
      status: 404,
    },
    { name: "of no attempt", request: "DELETE /app/own/msg/m1/attempt/none/content", status: 404 },
    { name: "its content goes", request: `DELETE /app/own/msg/m1/attempt/${ids.bad}/content`, status: 204 },
    {
      name: "and is gone",
      request: `GET /app/own/msg/m1/attempt/${ids.bad}`,
      status: 200,
      has: { response: "EXPUNGED", responseStatusCode: 500 },
      hasNot: ["busy"],
    },

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

test("attempts of months after their message are still its own", async () => {
  const app = await rows.application({ uid: "late" });
  const endpoint = await rows.endpoint(app.id, { uid: "late" });
  const message = await rows.message(app.id, { at: ago(80 * 1440), eventId: "old" });
  await rows.attempt(app.id, message, endpoint, { at: ago(80 * 1440), status: 2 });
  await rows.attempt(app.id, message, endpoint, { at: ago(1), trigger: 1 });
  const { body } = await api.request("GET", "/app/late/attempt/msg/old");
  expect(body.data.map(({ triggerType }: { triggerType: number }) => triggerType)).toEqual([1, 0]);
  expect((await api.request("GET", "/app/late/endpoint/late/msg")).body.data).toMatchObject([{ status: 0 }]);
});
