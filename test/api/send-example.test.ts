import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk2 from "svix";
import * as sdk1 from "svix-1";
import { type Api, appToken, orgToken, signJwt, startApi } from "../harness/api.ts";
import { dropPartitions } from "../harness/history.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
const ids: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const rows = createRows(api.database.sql, "org_a");
  const [app, other] = [await rows.application({ uid: "own" }), await rows.application({ uid: "other" })];
  const picky = await rows.endpoint(app.id, { uid: "picky", eventTypes: ["nothing.else"], channels: ["c"] });
  ids.picky = picky.id;
  await rows.endpoint(app.id, { uid: "ep" });
  await rows.endpoint(app.id, { uid: "off", disabled: true });
  await rows.endpoint(other.id, { uid: "foreign" });
  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
  tokens.reader = await signJwt({ sub: app.id, org: "org_a", capabilities: ["ViewBase"] });
  const types: Record<string, object | null> = {
    listed: { "1": { examples: [{ first: 1 }, { second: 2 }] } },
    single: { "1": { example: { only: true } } },
    versions: { "9": { examples: [{ version: 9 }] }, "10": { examples: [{ version: 10 }] } },
    plain: { "1": { type: "object" } },
    scalar: { "1": { examples: ["text"] } },
    none: null,
  };
  for (const [name, schemas] of Object.entries(types)) {
    await api.request("POST", "/event-type", { body: { name, description: "", schemas } });
  }
  const hidden = { name: "hidden", description: "", featureFlag: "beta", schemas: types.listed };
  await api.request("POST", "/event-type", { body: hidden });
});
afterAll(() => api.stop());

const request = "POST /app/own/endpoint/picky/send-example" as const;
const ping = { eventType: "svix.ping" };
const sends = (payload: object) => ({
  request,
  status: 200 as const,
  shape: "MessageOut" as const,
  has: { payload },
});

runScenarios(
  () => api,
  [
    { name: "needs a token", request, as: null, body: ping, status: 401 },
    { name: "who may only look", request, as: "reader", body: ping, status: 403 },
    { name: "another app's token", request, as: "otherApp", body: ping, status: 404 },
    { name: "another org's token", request, as: "otherOrg", body: ping, status: 404 },
    { name: "no application", request: "POST /app/x/endpoint/picky/send-example", body: ping, status: 404 },
    { name: "no endpoint", request: "POST /app/own/endpoint/x/send-example", body: ping, status: 404 },
    {
      name: "another application's endpoint",
      request: "POST /app/own/endpoint/foreign/send-example",
      body: ping,
      status: 404,
    },
    {
      name: "a disabled endpoint",
      request: "POST /app/own/endpoint/off/send-example",
      body: ping,
      status: 400,
      code: "generic_error",
    },
    { name: "an unknown type", request, body: { eventType: "unknown" }, status: 404, code: "not_found" },
    {
      name: "a type that the app may not see",
      request,
      as: "app",
      body: { eventType: "hidden" },
      status: 404,
    },
    { name: "no example", request, body: { eventType: "plain" }, status: 400, code: "invalid_scheme" },
    { name: "no schema", request, body: { eventType: "none" }, status: 400, code: "invalid_scheme" },
    { name: "no object", request, body: { eventType: "scalar" }, status: 400, code: "invalid_scheme" },
    {
      name: "past the last",
      request,
      body: { eventType: "listed", exampleIndex: 2 },
      status: 422,
      at: ["body", "exampleIndex"],
    },
    { name: "no type", request, body: {}, status: 422, at: ["body", "eventType"] },
    { name: "no name", request, body: { eventType: "a b" }, status: 422, at: ["body", "eventType"] },
  ],
  () => tokens,
);

test("what was refused left nothing", async () => {
  expect([...(await api.database.sql`select id from messages`)]).toEqual([]);
  expect([...(await api.database.sql`select message_id from deliveries`)]).toEqual([]);
});

runScenarios(
  () => api,
  [
    { ...sends({ success: true }), name: "a ping", body: ping },
    { ...sends({ first: 1 }), name: "the first", body: { eventType: "listed" } },
    { ...sends({ second: 2 }), name: "another", body: { eventType: "listed", exampleIndex: 1 } },
    { ...sends({ only: true }), name: "the only one", body: { eventType: "single", exampleIndex: 7 } },
    { ...sends({ version: 10 }), name: "the newest version's", body: { eventType: "versions" } },
    { ...sends({ first: 1 }), name: "as the app's owner", as: "app", body: { eventType: "listed" } },
  ],
  () => tokens,
);

test("each is a message with one delivery, due now, at that endpoint only", async () => {
  const sent = await api.request("POST", "/app/own/endpoint/picky/send-example", { body: ping });
  const queued = await api.database.sql`select endpoint_id, trigger, attempt, due_at <= now() as due
                                        from deliveries where message_id = ${sent.body.id}`;
  expect([...queued]).toEqual([{ endpoint_id: ids.picky, trigger: 0, attempt: 0, due: true }]);
  const read = await api.request("GET", `/app/own/msg/${sent.body.id}`);
  expect(read.body).toEqual(sent.body);
  const [kept] = await api.database.sql`
    select extract(epoch from payload_expires_at - now()) / 86400 as days from messages where id = ${sent.body.id}`;
  expect(Number(kept?.days)).toBeCloseTo(90, 1);
});

test("a repeat under the same Idempotency-Key sends nothing", async () => {
  const headers = { "idempotency-key": "once" };
  const path = "/app/own/endpoint/ep/send-example";
  const [first, second] = [
    await api.request("POST", path, { body: ping, headers }),
    await api.request("POST", path, { body: ping, headers }),
  ];
  expect(second.text).toBe(first.text);
});

test.each([
  ["svix 2.5.0", sdk2.Svix],
  ["svix 1.99.1", sdk1.Svix],
])("%s", async (_, Svix) => {
  const client = new Svix(await orgToken("org_a"), { serverUrl: api.url });
  const sent = await client.endpoint.sendExample("own", "picky", { eventType: "listed", exampleIndex: 1 });
  expect(sent).toMatchObject({ eventType: "listed", payload: { second: 2 } });
  const refused = client.endpoint.sendExample("own", "picky", { eventType: "plain" });
  expect(refused).rejects.toMatchObject({ code: 400, body: { code: "invalid_scheme" } });
});

test("meets no partition for its message, and makes it", async () => {
  await dropPartitions(api.database, "messages");
  const sent = await api.request("POST", "/app/own/endpoint/picky/send-example", { body: ping });
  expect(sent.status).toBe(200);
  expect((await api.request("GET", `/app/own/msg/${sent.body.id}`)).body).toEqual(sent.body);
});
