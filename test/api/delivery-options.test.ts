import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { keepHeaders } from "../../src/services/kept-headers.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios, type Scenario } from "../harness/scenarios.ts";

const sentAtMs = Date.now();
const [failed, succeeded] = [newId("atmpt_", sentAtMs), newId("atmpt_", sentAtMs)];
const at = String(Math.floor(sentAtMs / 1000));
let api: Api;
let message: { id: string };
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const app = await api.request("POST", "/app", { body: { name: "own", uid: "own" } });
  const other = await api.request("POST", "/app", { body: { name: "other", uid: "other" } });
  tokens.app = await appToken("org_a", app.body.id);
  tokens.foreign = await appToken("org_a", other.body.id);
  tokens.otherOrg = await orgToken("org_b");
  const endpoint = await api.request("POST", "/app/own/endpoint", { body: { url, uid: "one" } });
  await api.request("PUT", "/event-type/a", { body: { description: "" } });
  const rows = createRows(api.database.sql, "org_a");
  message = await rows.message(app.body.id, { eventId: "m" });
  const of = { ...message, eventType: "a", channels: null, tags: null };
  await rows.attempt(app.body.id, of, endpoint.body, {
    id: failed,
    status: 2,
    sentHeaders: keepHeaders({
      "x-team": "red",
      Authorization: "Bearer hush",
      "webhook-signature": "v1,sig",
    }),
    responseHeaders: keepHeaders({ "retry-after": "60", "set-cookie": "session=hush", odd: "a\u0000\u00e9" }),
  });
  await rows.attempt(app.body.id, of, endpoint.body, { id: succeeded });
});
afterAll(() => api.stop());

const url = "https://example.com/hook";
const one = "/app/own/endpoint/one";
const headersOf = (id: string) => `/app/own/msg/m/attempt/${id}/headers` as const;

const refused = (request: Scenario["request"], body: object, at: string[]): Scenario => ({
  name: `${at.join(".")} is refused`,
  request,
  body,
  status: 422,
  at,
});
const schedules = (request: Scenario["request"], more: object) => {
  const at = ["body", "retrySchedule"];
  return [
    ...[[-1], [2_592_001], ["5"]].map((retrySchedule) =>
      refused(request, { ...more, retrySchedule }, [...at, "0"]),
    ),
    ...[5, new Array(51).fill(1)].map((retrySchedule) => refused(request, { ...more, retrySchedule }, at)),
  ];
};

runScenarios(
  () => api,
  [
    {
      name: "has neither unless told",
      request: `GET ${one}`,
      status: 200,
      shape: "EndpointDetailOut",
      has: {
        deliveryTimeoutMs: null,
        retrySchedule: null,
        breaker: { state: "closed", failures: 0, failingSince: null, until: null },
      },
    },
    {
      name: "is made with both",
      request: "POST /app/own/endpoint",
      body: { url, deliveryTimeoutMs: 60_000, retrySchedule: [0.5, 2_592_000] },
      status: 201,
      shape: "EndpointOut",
      has: { deliveryTimeoutMs: 60_000, retrySchedule: [0.5, 2_592_000] },
    },
    {
      name: "sets, by the application's owner too",
      request: `PATCH ${one}`,
      as: "app",
      body: { deliveryTimeoutMs: 100, retrySchedule: [0.1, 0, 7] },
      status: 200,
      has: { deliveryTimeoutMs: 100, retrySchedule: [0.1, 0, 7] },
    },
    {
      name: "absent keeps",
      request: `PATCH ${one}`,
      body: {},
      status: 200,
      has: { deliveryTimeoutMs: 100, retrySchedule: [0.1, 0, 7] },
    },
    {
      name: "none is not the server's",
      request: `PATCH ${one}`,
      body: { retrySchedule: [] },
      status: 200,
      has: { deliveryTimeoutMs: 100, retrySchedule: [] },
    },
    {
      name: "null clears",
      request: `PATCH ${one}`,
      body: { deliveryTimeoutMs: null, retrySchedule: null },
      status: 200,
      has: { deliveryTimeoutMs: null, retrySchedule: null },
    },
    {
      name: "sets",
      request: `PUT ${one}`,
      body: { url, uid: "one", deliveryTimeoutMs: 5_000, retrySchedule: [1] },
      status: 200,
      has: { deliveryTimeoutMs: 5_000, retrySchedule: [1] },
    },
    {
      name: "lists show both, and no breaker",
      request: "GET /app/own/endpoint?order=ascending&limit=1",
      status: 200,
      shape: "ListResponse_EndpointOut_",
      has: { data: [{ deliveryTimeoutMs: 5_000, retrySchedule: [1] }] },
      hasNot: ["breaker"],
    },
    {
      name: "absent clears",
      request: `PUT ${one}`,
      body: { url, uid: "one" },
      status: 200,
      has: { deliveryTimeoutMs: null, retrySchedule: null },
    },
    ...[99, 60_001, 1.5, "100"].map((deliveryTimeoutMs) =>
      refused(`PATCH ${one}`, { deliveryTimeoutMs }, ["body", "deliveryTimeoutMs"]),
    ),
    ...schedules(`PATCH ${one}`, {}),
    ...schedules("POST /app/own/endpoint", { url }),
    {
      name: "an operational endpoint has both",
      request: "POST /operational-webhook/endpoint",
      body: { url, deliveryTimeoutMs: 300, retrySchedule: [] },
      status: 201,
      shape: "OperationalWebhookEndpointOut",
      has: { deliveryTimeoutMs: 300, retrySchedule: [] },
    },
    {
      name: "a schedule",
      request: "POST /event-type",
      body: { name: "b", description: "", retrySchedule: [0.25, 60] },
      status: 201,
      shape: "EventTypeOut",
      has: { retrySchedule: [0.25, 60] },
    },
    {
      name: "absent keeps",
      request: "PATCH /event-type/b",
      body: {},
      status: 200,
      has: { retrySchedule: [0.25, 60] },
    },
    {
      name: "lists show it",
      request: "GET /event-type",
      status: 200,
      has: { data: [{ retrySchedule: null }, { retrySchedule: [0.25, 60] }] },
    },
    {
      name: "an export holds it",
      request: "POST /environment/export",
      status: 200,
      has: { eventTypes: [{ retrySchedule: null }, { retrySchedule: [0.25, 60] }] },
    },
    {
      name: "none",
      request: "PATCH /event-type/b",
      body: { retrySchedule: [] },
      status: 200,
      has: { retrySchedule: [] },
    },
    {
      name: "absent clears",
      request: "PUT /event-type/b",
      body: { description: "" },
      status: 200,
      has: { retrySchedule: null },
    },
    ...schedules("PATCH /event-type/b", {}),
    {
      name: "of a failure: as they were, but for credentials",
      request: `GET ${headersOf(failed)}`,
      as: "app",
      status: 200,
      shape: "MessageAttemptHeadersOut",
      has: {
        sentHeaders: { "x-team": "red", "webhook-signature": "v1,sig" },
        responseHeaders: [
          ["retry-after", "60"],
          ["odd", "a\u0000\u00e9"],
        ],
        sensitive: ["Authorization", "set-cookie"],
      },
      hasNot: ["hush"],
    },
    {
      name: "of a success: what follows from the message",
      request: `GET ${headersOf(succeeded)}`,
      status: 200,
      shape: "MessageAttemptHeadersOut",
      check: ({ body }) =>
        expect(body).toEqual({
          sentHeaders: {
            "content-type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": at,
            "svix-id": message.id,
            "svix-timestamp": at,
          },
          responseHeaders: null,
          sensitive: [],
        }),
    },
    { name: "no token", request: `GET ${headersOf(failed)}`, as: null, status: 401 },
    { name: "another application's token", request: `GET ${headersOf(failed)}`, as: "foreign", status: 404 },
    { name: "another org's token", request: `GET ${headersOf(failed)}`, as: "otherOrg", status: 404 },
    { name: "of no attempt", request: `GET ${headersOf(newId("atmpt_"))}`, status: 404, code: "not_found" },
    { name: "of no message", request: `GET /app/own/msg/none/attempt/${failed}/headers`, status: 404 },
    {
      name: "what the receiver answered goes",
      request: `DELETE /app/own/msg/m/attempt/${failed}/content`,
      status: 204,
    },
    {
      name: "with its headers",
      request: `GET ${headersOf(failed)}`,
      status: 200,
      has: { sentHeaders: { "x-team": "red" }, responseHeaders: null },
      hasNot: ["retry-after"],
    },
  ],
  () => tokens,
);

test("an endpoint shows its breaker as it stands", async () => {
  const { sql } = api.database;
  const { body } = await api.request("GET", one);
  const since = "2026-01-02T03:04:05.000Z";
  const until = "2100-01-02T03:04:05.000Z";
  await sql`insert into endpoint_health (endpoint_id, org_id, failing_since, consecutive_failures)
            values (${body.id}, 'org_a', ${since}, 3)`;
  const breaker = async () => (await api.request("GET", one)).body.breaker;
  expect(await breaker()).toEqual({ state: "closed", failures: 3, failingSince: since, until: null });
  await sql`update endpoint_health set open_until = ${until}, consecutive_failures = 12`;
  expect(await breaker()).toEqual({ state: "open", failures: 12, failingSince: since, until });
  await sql`update endpoint_health set open_until = now() - interval '1 minute'`;
  expect(await breaker()).toEqual({ state: "half-open", failures: 12, failingSince: since, until: null });
});

test("of many headers the first 8 KB are kept", () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x-${n}`, "v".repeat(1_000)]));
  const kept = keepHeaders(many);
  expect(kept.length).toBeLessThan(8_300);
  expect(JSON.parse(kept)).toHaveLength(8);
});
