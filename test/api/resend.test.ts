import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { prepareHistory } from "../harness/history.ts";
import { createRows, type Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let rows: Rows;
let appId: string;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  await prepareHistory(api.database);
  rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  appId = app.id;
  await rows.endpoint(app.id, { uid: "ep" });
  await rows.endpoint(app.id, { uid: "off", disabled: true });
  await rows.endpoint(app.id, { uid: "picky", eventTypes: ["nothing.else"] });
  await rows.message(app.id, { eventId: "m" });
  await rows.message(app.id, { eventId: "gone", payload: null });
  await rows.message(app.id, { eventId: "past", payloadExpiresAt: new Date(Date.now() - 1000) });
  const other = await rows.application({ uid: "other" });
  await rows.endpoint(other.id, { uid: "foreign" });
  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const path = "/app/own/msg/m/endpoint/ep/resend";
const queued = () => api.database.sql`select message_id, trigger, priority, attempt, lease from deliveries`;

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `POST ${path}`, as: null, status: 401 },
    { name: "another org", request: `POST ${path}`, as: "otherOrg", status: 404 },
    { name: "another app", request: `POST ${path}`, as: "otherApp", status: 404 },
    {
      name: "no message",
      request: "POST /app/own/msg/none/endpoint/ep/resend",
      status: 404,
      code: "not_found",
    },
    { name: "no endpoint", request: "POST /app/own/msg/m/endpoint/none/resend", status: 404 },
    {
      name: "another application's endpoint",
      request: "POST /app/own/msg/m/endpoint/foreign/resend",
      status: 404,
    },
    {
      name: "an expunged payload",
      request: "POST /app/own/msg/gone/endpoint/ep/resend",
      status: 400,
      code: "missing_payload",
    },
    {
      name: "an expired payload",
      request: "POST /app/own/msg/past/endpoint/ep/resend",
      status: 400,
      code: "missing_payload",
    },
    {
      name: "a disabled endpoint",
      request: "POST /app/own/msg/m/endpoint/off/resend",
      status: 400,
      code: "generic_error",
    },
  ],
  () => tokens,
);

test("what was refused queued nothing", async () => {
  expect([...(await queued())]).toEqual([]);
});

test("a resend is one manual delivery, due now, that the workers are told of", async () => {
  const ear = connect(api.database.url, { max: 1, prepare: false, applicationName: "posthorn test" });
  const told = Promise.withResolvers<void>();
  await ear.listen("posthorn_due", () => told.resolve());
  const answer = await api.request("POST", path, { token: tokens.app as string });
  expect([answer.status, answer.text]).toEqual([202, "{}"]);
  await told.promise;
  await ear.end();
  expect([...(await queued())]).toMatchObject([{ trigger: 1, priority: 0, attempt: 0, lease: null }]);
});

test("asking twice is asking once; what is under way is left alone; a pending retry stays", async () => {
  const message = await rows.message(appId, { eventId: "twice" });
  const endpoint = await rows.endpoint(appId, { uid: "twice" });
  const later = new Date("2035-01-01T00:00:00Z");
  await rows.delivery(appId, message, endpoint, { dueAt: later, attempt: 3, priority: 1 });
  const resend = () => api.request("POST", "/app/own/msg/twice/endpoint/twice/resend");
  const state = () =>
    api.database.sql`select trigger, due_at > now() as later, lease from deliveries
                     where message_id = ${message.id} order by trigger`;
  expect((await resend()).status).toBe(202);
  expect((await resend()).status).toBe(202);
  expect([...(await state())]).toMatchObject([
    { trigger: 0, later: true },
    { trigger: 1, later: false },
  ]);
  const lease = crypto.randomUUID();
  await api.database.sql`update deliveries set lease = ${lease}, due_at = now() + interval '1 hour'
                         where message_id = ${message.id} and trigger = 1`;
  expect((await resend()).status).toBe(202);
  expect([...(await state())]).toMatchObject([{ trigger: 0 }, { trigger: 1, later: true, lease }]);
});

test("an endpoint's filters don't matter to whoever asks by hand", async () => {
  expect((await api.request("POST", "/app/own/msg/m/endpoint/picky/resend")).status).toBe(202);
});
