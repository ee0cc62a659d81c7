import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const { body } = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const list = "/operational-webhook/endpoint";
const one = `${list}/one`;
const url = "https://ops.example/hook";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${list}`, as: null, status: 401 },
    { name: "an app token may not", request: `GET ${list}`, as: "app", status: 403 },
    { name: "none yet", request: `GET ${list}`, status: 200, has: { data: [], done: true, iterator: null } },
    { name: "none yet", request: `GET ${one}`, status: 404 },
    { name: "none to delete", request: `DELETE ${one}`, status: 404 },
    { name: "none to look at", request: `GET ${one}/headers`, status: 404 },
    { name: "none to look at", request: `GET ${one}/secret`, status: 404 },
    { name: "none to rotate", request: `POST ${one}/secret/rotate`, body: {}, status: 404 },
    {
      name: "makes one",
      request: `POST ${list}`,
      body: { url, uid: "one", eventTypes: ["endpoint.created"], channels: ["x"], headers: { "X-A": "1" } },
      status: 201,
      shape: "OperationalWebhookEndpointOut",
      has: { uid: "one", url, eventTypes: ["endpoint.created"] },
      hasNot: ["channels"],
    },
    { name: "a taken uid", request: `POST ${list}`, body: { url, uid: "one" }, status: 409 },
    { name: "no URL", request: `POST ${list}`, body: {}, status: 422, at: ["body", "url"] },
    {
      name: "a bad URL",
      request: `POST ${list}`,
      body: { url: "ftp://x" },
      status: 422,
      at: ["body", "url"],
    },
    {
      name: "only what there is to hear",
      request: `POST ${list}`,
      body: { url, eventTypes: ["user.signup"] },
      status: 422,
      at: ["body", "eventTypes"],
    },
    { name: "by uid", request: `GET ${one}/`, status: 200, shape: "OperationalWebhookEndpointDetailOut" },
    {
      name: "lists",
      request: `GET ${list}`,
      status: 200,
      shape: "ListResponse_OperationalWebhookEndpointOut_",
      has: { data: [{ uid: "one" }] },
    },
    { name: "a bad limit", request: `GET ${list}?limit=0`, status: 422 },
    { name: "a limit that is none", request: `GET ${list}?limit=x`, status: 400 },
    {
      name: "replaces",
      request: `PUT ${one}`,
      body: { url, uid: "one", description: "new" },
      status: 200,
      has: { description: "new", eventTypes: null },
    },
    {
      name: "makes another",
      request: `PUT ${list}/two`,
      body: { url, uid: "two" },
      status: 201,
      has: { uid: "two" },
    },
    { name: "a bad replacement", request: `PUT ${one}`, body: { url: 1 }, status: 422 },
    {
      name: "its headers",
      request: `GET ${one}/headers`,
      status: 200,
      shape: "EndpointHeadersOut",
      has: { headers: { "X-A": "1" } },
    },
    {
      name: "other headers",
      request: `PUT ${one}/headers`,
      body: { headers: { Authorization: "secret1" } },
      status: 204,
    },
    {
      name: "which are hidden",
      request: `GET ${one}/headers`,
      status: 200,
      has: { sensitive: ["Authorization"] },
      hasNot: ["secret1"],
    },
    {
      name: "a forbidden one",
      request: `PUT ${one}/headers`,
      body: { headers: { "svix-id": "1" } },
      status: 422,
    },
    { name: "its secret", request: `GET ${one}/secret`, status: 200, shape: "EndpointSecretOut" },
    { name: "another secret", request: `POST ${one}/secret/rotate`, body: {}, status: 204 },
    { name: "a bad secret", request: `POST ${one}/secret/rotate`, body: { key: "x" }, status: 422 },
    { name: "another org's", request: `GET ${one}`, as: "otherOrg", status: 404 },
    { name: "another org's", request: `GET ${list}`, as: "otherOrg", status: 200, has: { data: [] } },
    { name: "another org's", request: `DELETE ${one}`, as: "otherOrg", status: 404 },
    { name: "deletes", request: `DELETE ${list}/two`, status: 204 },
    { name: "is gone", request: `GET ${list}/two`, status: 404 },
  ],
  () => tokens,
);

test("nothing else shows the application that they stand in", async () => {
  const [app] = await api.database.sql`select id from applications where org_id = 'operational:org_a'`;
  const { body } = await api.request("GET", "/app?limit=250");
  expect(body.data.map((row: { uid: string }) => row.uid)).toEqual(["own"]);
  for (const ref of [app?.id, "operational"]) {
    for (const path of ["", "/endpoint", "/endpoint/one", "/msg"]) {
      expect([path, (await api.request("GET", `/app/${ref}${path}`)).status]).toEqual([path, 404]);
    }
    const sent = await api.request("POST", `/app/${ref}/msg`, { body: { eventType: "x", payload: {} } });
    expect(sent.status).toBe(404);
    const access = await api.request("POST", `/auth/app-portal-access/${ref}`, { body: {} });
    expect(access.status).toBe(404);
    const token = await appToken("org_a", app?.id);
    expect((await api.request("GET", `/app/${app?.id}/endpoint`, { token })).status).toBe(404);
  }
  expect((await api.request("GET", "/event-type")).body.data).toEqual([]);
});

const said = async (): Promise<{ type: string; data: Record<string, unknown> }[]> => {
  const rows = await api.database.sql`
    select payload from messages where org_id = 'operational:org_a' order by id`;
  return rows.map(({ payload }) => JSON.parse(payload));
};

test("what happens to the org's endpoints is said, once, and only of them", async () => {
  const before = (await said()).length;
  const app = await api.request("GET", "/app/own");
  const made = await api.request("POST", "/app/own/endpoint", { body: { url, uid: "mine" } });
  await api.request("PATCH", "/app/own/endpoint/mine", { body: { description: "x" } });
  await api.request("PATCH", "/app/own/endpoint/mine", { body: { disabled: true } });
  await api.request("PUT", "/app/own/endpoint/mine", { body: { url, uid: "mine" } });
  await api.request("POST", "/app/own/endpoint", { body: { url, uid: "mine" } });
  await api.request("DELETE", "/app/own/endpoint/mine");
  await until(async () => (await said()).length >= before + 7);
  const events = (await said()).slice(before);
  expect(events.map(({ type }) => type).sort()).toEqual([
    "endpoint.created",
    "endpoint.deleted",
    "endpoint.disabled",
    "endpoint.enabled",
    "endpoint.updated",
    "endpoint.updated",
    "endpoint.updated",
  ]);
  const data = { appId: app.body.id, appUid: "own", endpointId: made.body.id };
  for (const event of events) expect(event.data).toMatchObject(data);
  expect(events.find(({ type }) => type === "endpoint.created")?.data).toEqual({
    ...data,
    endpointUid: "mine",
  });
  expect(events.find(({ type }) => type === "endpoint.disabled")?.data.trigger).toBe("manual");
});

test("an org that nobody listens to for stores nothing", async () => {
  const token = tokens.otherOrg as string;
  await api.request("POST", "/app", { token, body: { name: "B", uid: "b" } });
  await api.request("POST", "/app/b/endpoint", { token, body: { url } });
  await api.request("DELETE", one);
  await api.told();
  const before = (await said()).length;
  await api.request("POST", "/app/own/endpoint", { body: { url } });
  await api.told();
  expect((await said()).length).toBe(before);
  expect([...(await api.database.sql`select from messages where org_id = 'operational:org_b'`)]).toEqual([]);
});
