import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { dropPartitions } from "../harness/history.ts";
import { createRows, type Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let rows: Rows;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  const other = await rows.application({ uid: "other" });
  for (const uid of ["ep", "ep2", "ep3"]) await rows.endpoint(app.id, { uid });
  await rows.endpoint(other.id, { uid: "foreign" });
  const body = { eventType: "user.created", payload: {} };
  await api.request("POST", "/app/own/msg", { body: { ...body, eventId: "m" } });
  await api.request("POST", "/app/own/msg", { body: { ...body, eventId: "stays" } });
  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const cancel = "POST /app/own/msg/m/cancel" as const;

runScenarios(
  () => api,
  [
    { name: "needs a token", request: cancel, as: null, body: {}, status: 401 },
    { name: "another org's", request: cancel, as: "otherOrg", body: {}, status: 404 },
    { name: "another app's token", request: cancel, as: "otherApp", body: {}, status: 404 },
    { name: "no such message", request: "POST /app/own/msg/none/cancel", body: {}, status: 404 },
    { name: "no such endpoint", request: cancel, body: { endpointIds: ["ep", "none"] }, status: 404 },
    { name: "another app's endpoint", request: cancel, body: { endpointIds: ["foreign"] }, status: 404 },
    {
      name: "no endpoints",
      request: cancel,
      body: { endpointIds: [] },
      status: 422,
      at: ["body", "endpointIds"],
    },
    {
      name: "a text",
      request: cancel,
      body: { endpointIds: "ep" },
      status: 422,
      at: ["body", "endpointIds"],
    },
    {
      name: "nothing was canceled by these",
      request: "GET /app/own/endpoint/ep/msg?status=1",
      status: 200,
      has: { data: [{ eventId: "stays" }, { eventId: "m" }] },
    },
    {
      name: "at one endpoint, by the application's owner",
      request: cancel,
      as: "app",
      body: { endpointIds: ["ep"] },
      status: 200,
      has: { canceled: 1, sending: 0 },
    },
    { name: "once more", request: cancel, body: { endpointIds: ["ep"] }, status: 200, has: { canceled: 0 } },
    {
      name: "it is canceled there",
      request: "GET /app/own/endpoint/ep/msg?status=4",
      status: 200,
      shape: "ListResponse_EndpointMessageOut_",
      has: { data: [{ eventId: "m", status: 4, statusText: "canceled", nextAttempt: null }] },
    },
    {
      name: "failed is something else",
      request: "GET /app/own/endpoint/ep/msg?status=2",
      status: 200,
      has: { data: [] },
    },
    {
      name: "the others go on",
      request: "GET /app/own/msg/m/endpoint",
      status: 200,
      has: {
        data: [
          { uid: "ep", status: 4 },
          { uid: "ep2", status: 1 },
          { uid: "ep3", status: 1 },
        ],
      },
    },
    {
      name: "everywhere else",
      request: cancel,
      body: { endpointIds: null },
      status: 200,
      has: { canceled: 2, sending: 0 },
    },
    {
      name: "its attempts",
      request: "GET /app/own/attempt/msg/m?status=4",
      status: 200,
      shape: "ListResponse_MessageAttemptOut_",
      has: { data: [4, 4, 4].map((status) => ({ status, statusText: "canceled", responseStatusCode: 0 })) },
    },
    {
      name: "an endpoint's",
      request: "GET /app/own/attempt/endpoint/ep?status=4",
      status: 200,
      has: { data: [{ status: 4, response: "canceled" }] },
    },
    {
      name: "are none without an answer",
      request: "GET /app/own/attempt/endpoint/ep?status_code_class=0",
      status: 200,
      has: { data: [] },
    },
    {
      name: "are counted for themselves",
      request: "GET /app/own/endpoint/ep/stats",
      status: 200,
      has: { success: 0, fail: 0, canceled: 1, pending: 1 },
    },
    {
      name: "a resend",
      request: "POST /app/own/msg/m/endpoint/ep2/resend",
      status: 202,
    },
    {
      name: "makes it pending again",
      request: "GET /app/own/endpoint/ep2/msg?status=1",
      status: 200,
      has: { data: [{ eventId: "stays" }, { eventId: "m" }] },
    },
  ],
  () => tokens,
);

test("nothing was sent, and so no headers", async () => {
  const { body } = await api.request("GET", "/app/own/attempt/msg/m?status=4&limit=1");
  const headers = await api.request("GET", `/app/own/msg/m/attempt/${body.data[0].id}/headers`);
  expect(headers.body).toEqual({ sentHeaders: {}, responseHeaders: null, sensitive: [] });
});

test("the audit log says who canceled what", async () => {
  const entries = await api.database.sql`
    select actor, detail - 'endpointIds' as detail from audit_log where action = 'message.cancel' order by id`;
  expect([...entries]).toEqual([
    { actor: expect.stringMatching(/^app-token:app_/), detail: { canceled: 1, sending: 0 } },
    { actor: "org-token:org_a", detail: { canceled: 2, sending: 0 } },
  ]);
});

test("meets no partition for its attempts, and makes it", async () => {
  await api.request("POST", "/app/own/msg", { body: { eventType: "a", eventId: "late", payload: {} } });
  await dropPartitions(api.database, "attempts");
  const { status, body } = await api.request("POST", "/app/own/msg/late/cancel", { body: {} });
  expect([status, body]).toEqual([200, { canceled: 3, sending: 0 }]);
  expect((await api.request("GET", "/app/own/attempt/msg/late")).body.data).toHaveLength(3);
});
