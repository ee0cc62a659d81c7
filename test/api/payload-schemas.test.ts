import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let there: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  // It hears of nothing: what it knows of a change is what it made itself.
  api = await startApi();
  there = await startApi({ watch: true, database: api.database });
  const { body } = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
  await api.request("POST", "/app", { body: { name: "Theirs", uid: "own" }, token: tokens.otherOrg });
});
afterAll(async () => {
  await there.stop();
  await api.stop();
});

const schema = {
  type: "object",
  required: ["id"],
  properties: { id: { type: "string" }, lines: { items: { properties: { n: { type: "integer" } } } } },
  examples: [{ id: 7 }],
};
const strict = (over: object = {}) => ({
  name: "strict",
  description: "",
  schemas: { "1": { required: ["old"] }, "10": schema, "9": false, draft: false },
  validatePayloads: true,
  ...over,
});
const message = (payload: unknown, over: object = {}) => ({ eventType: "strict", payload, ...over });
const raw = (rawPayload: string) => ({
  eventType: "strict",
  payload: {},
  transformationsParams: { rawPayload },
});
const msg = "POST /app/own/msg";
const type = "POST /event-type";

runScenarios(
  () => api,
  [
    {
      name: "nobody's schema can be checked",
      request: type,
      body: { name: "none", description: "", validatePayloads: true },
      status: 422,
      at: ["body", "validatePayloads"],
      hasNot: ["org_a"],
    },
    {
      name: "a schema that can't be used",
      request: type,
      body: strict({ schemas: { "1": schema, "2": { properties: { a: { type: "text" } } } } }),
      status: 422,
      at: ["body", "schemas", "2", "properties", "a", "type"],
    },
    {
      name: "a schema elsewhere",
      request: type,
      body: strict({ schemas: { "1": { $ref: "http://127.0.0.1/schema" } } }),
      status: 422,
      at: ["body", "schemas", "1", "$ref"],
    },
    {
      name: "a pattern that backtracks",
      request: type,
      body: strict({ schemas: { "1": { properties: { a: { pattern: "(a)\\1" } } } } }),
      status: 422,
      at: ["body", "schemas", "1", "properties", "a", "pattern"],
    },
    {
      name: "not what is asked for",
      request: type,
      body: strict({ validatePayloads: "yes" }),
      status: 422,
      at: ["body", "validatePayloads"],
    },
    { name: "none of these was made", request: "GET /event-type", status: 200, has: { data: [] } },
    {
      name: "without a check any schema will do",
      request: type,
      body: { name: "lax", description: "", schemas: { "1": { type: 5 } } },
      status: 201,
      has: { validatePayloads: false },
    },
    { name: "and any payload", request: msg, body: { eventType: "lax", payload: { a: 1 } }, status: 202 },
    {
      name: "a check",
      request: type,
      body: strict(),
      status: 201,
      shape: "EventTypeOut",
      has: { validatePayloads: true },
    },
    {
      name: "by the highest version: wrong",
      request: msg,
      body: message({ lines: [{ n: 1 }, { n: 1.5 }] }),
      status: 422,
      at: ["body", "payload", "lines", "1", "n"],
      has: {
        detail: [
          { msg: "must be of the type integer" },
          { loc: ["body", "payload", "id"], msg: "is missing" },
        ],
      },
    },
    { name: "right", request: msg, body: message({ id: "a" }), status: 202 },
    {
      name: "under its other name",
      request: msg,
      body: { eventType: "strict", data: { id: 1 } },
      status: 422,
      at: ["body", "data", "id"],
    },
    { name: "raw", request: msg, body: raw('{"id":"a"}'), status: 202 },
    {
      name: "raw and wrong",
      request: msg,
      body: raw('{"id":1}'),
      status: 422,
      at: ["body", "transformationsParams", "rawPayload", "id"],
    },
    {
      name: "raw and no JSON",
      request: msg,
      body: raw("id=a"),
      status: 422,
      at: ["body", "transformationsParams", "rawPayload"],
      has: { detail: [{ msg: expect.stringContaining("must be JSON") }] },
    },
    {
      name: "raw and deep",
      request: msg,
      body: raw("[".repeat(5_000)),
      status: 422,
      at: ["body", "transformationsParams", "rawPayload"],
    },
    {
      name: "with an application that comes along",
      request: "POST /app/new/msg",
      body: message({ id: 1 }, { application: { name: "New", uid: "new" } }),
      status: 422,
      at: ["body", "payload", "id"],
    },
    { name: "which was not made", request: "GET /app/new", status: 404 },
    { name: "another org's type is another", request: msg, as: "otherOrg", body: message({}), status: 202 },
    {
      name: "an endpoint",
      request: "POST /app/own/endpoint",
      body: { url: "https://receiver.example/", uid: "ep" },
      status: 201,
    },
    {
      name: "an example goes out as the schema has it",
      request: "POST /app/own/endpoint/ep/send-example",
      body: { eventType: "strict" },
      status: 200,
      has: { payload: { id: 7 } },
    },
    {
      name: "its schema taken away",
      request: "PATCH /event-type/strict",
      body: { schemas: null },
      status: 422,
      at: ["body", "validatePayloads"],
    },
    {
      name: "replaced by one that can't be used",
      request: "PUT /event-type/strict",
      body: strict({ schemas: { "1": 5 } }),
      status: 422,
      at: ["body", "schemas", "1"],
    },
    {
      name: "imported",
      request: "POST /event-type/import/openapi",
      body: {
        spec: {
          webhooks: {
            strict: { post: { requestBody: { content: { "application/json": { schema: { type: 1 } } } } } },
          },
        },
      },
      status: 422,
      at: ["body", "spec", "webhooks", "strict", "schemas", "1", "type"],
    },
    {
      name: "with all others",
      request: "POST /environment/import",
      body: { eventTypes: [{ name: "fine", description: "" }, strict({ schemas: null })] },
      status: 422,
      at: ["body", "eventTypes", "1", "validatePayloads"],
    },
    { name: "all stayed as it was", request: msg, body: message({ id: 1 }), status: 422 },
    {
      name: "too much work",
      request: "PATCH /event-type/strict",
      body: { schemas: { "11": { properties: { text: { pattern: "(\\p{L}|\\p{N}){1,900}$" } } } } },
      status: 200,
    },
    { name: "for a little none", request: msg, body: message({ text: "abc" }), status: 202 },
    {
      name: "for much",
      request: msg,
      body: message({ text: "é1".repeat(50_000) }),
      status: 422,
      at: ["body", "payload"],
      has: { detail: [{ msg: expect.stringContaining("too expensive") }] },
    },
    { name: "off", request: "PATCH /event-type/strict", body: { validatePayloads: false }, status: 200 },
    { name: "holds at once", request: msg, body: message({ text: 5 }), status: 202 },
    { name: "on", request: "PUT /event-type/strict", body: strict(), status: 200 },
    { name: "at once too", request: msg, body: message({}), status: 422 },
    {
      name: "what is exported",
      request: "POST /environment/export",
      status: 200,
      has: { eventTypes: [{}, { name: "strict", validatePayloads: true }] },
    },
    { name: "archived", request: "DELETE /event-type/strict", status: 204 },
    { name: "it checks nothing", request: msg, body: message({}), status: 202 },
    { name: "back", request: type, body: strict(), status: 201 },
    { name: "it does again", request: msg, body: message({}), status: 422 },
    { name: "for good", request: "DELETE /event-type/strict?expunge=true", status: 204 },
    { name: "it is gone", request: msg, body: message({}), status: 202 },
    { name: "by import", request: "POST /environment/import", body: { eventTypes: [strict()] }, status: 204 },
    { name: "it is there", request: msg, body: message({}), status: 422 },
    {
      name: "an app token may not",
      request: "PATCH /event-type/strict",
      as: "app",
      body: { validatePayloads: false },
      status: 403,
    },
  ],
  () => tokens,
);

const send = (by: Api, body: object, key?: string) =>
  by.request("POST", "/app/own/msg", { body, ...(key && { headers: { "idempotency-key": key } }) });

test("a payload that passed is stored byte for byte", async () => {
  const spelled = '{"n":12345678901234567890,"id":"\\u00e9","one":1.0}';
  const sent = await api.request("POST", "/app/own/msg", {
    raw: `{"eventType":"strict","payload":${spelled}}`,
  });
  expect(sent.status).toBe(202);
  expect((await api.request("GET", `/app/own/msg/${sent.body.id}`)).text).toContain(spelled);
});

describe("with an Idempotency-Key", () => {
  test("a repeat gets the first answer, though the schema has changed", async () => {
    const body = message({ id: "kept" });
    const first = await send(api, body, "kept");
    await api.request("PATCH", "/event-type/strict", { body: { schemas: { "1": false } } });
    const again = await send(api, body, "kept");
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect((await send(api, message({ id: "other" }), "kept")).body.code).toBe("idempotency_conflict");
    expect((await send(api, body, "another")).status).toBe(422);
    await api.request("PUT", "/event-type/strict", { body: strict() });
  });

  test("one that was refused is free", async () => {
    expect((await send(api, message({}), "free")).status).toBe(422);
    expect((await send(api, message({ id: "now" }), "free")).status).toBe(202);
  });
});

test("a change holds in every process within five seconds", async () => {
  const statuses = async () => (await send(there, message({}))).status;
  await until(async () => (await statuses()) === 422, 5_000);
  await api.request("PATCH", "/event-type/strict", { body: { schemas: { "1": {} } } });
  await until(async () => (await statuses()) === 202, 5_000);
  await api.request("PATCH", "/event-type/strict", { body: { schemas: { "1": { required: ["x"] } } } });
  await until(async () => (await statuses()) === 422, 5_000);
  await there.request("PATCH", "/event-type/strict", { body: { validatePayloads: false } });
  expect(await statuses()).toBe(202);
}, 30_000);
