import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const make = (uid: string) => api.request("POST", "/app", { body: { name: uid, uid } });
  tokens.app = await appToken("org_a", (await make("own")).body.id);
  tokens.foreign = await appToken("org_a", (await make("other")).body.id);
  tokens.otherOrg = await orgToken("org_b");
  for (const name of ["a", "b"])
    await api.request("PUT", `/event-type/${name}`, { body: { description: "" } });
  const add = (body: object) => api.request("POST", "/app/own/endpoint", { body: { url, ...body } });
  await add({
    uid: "one",
    description: "First",
    eventTypes: ["a"],
    channels: ["c"],
    headers: { "X-Tag": "1" },
  });
  await add({});
  await add({ uid: "old" });
  await add({});
});
afterAll(() => api.stop());

const url = "https://example.com/hook";
const one = "/app/own/endpoint/one";

runScenarios(
  () => api,
  [
    {
      name: "clears what is absent",
      request: `PUT ${one}`,
      body: { url: "http://EXAMPLE.org/x", uid: "one" },
      status: 200,
      has: {
        url: "http://example.org/x",
        description: "",
        eventTypes: null,
        channels: null,
        throttleRate: null,
        metadata: {},
        version: 1,
      },
    },
    { name: "but no header", request: `GET ${one}/headers`, status: 200, has: { headers: { "X-Tag": "1" } } },
    {
      name: "creates",
      request: "PUT /app/own/endpoint/brand-new",
      body: { url, uid: "new", filterTypes: [] },
      status: 201,
      shape: "EndpointOut",
      has: { uid: "new" },
    },
    { name: "to a taken uid", request: `PUT ${one}`, body: { url, uid: "old" }, status: 409 },
    {
      name: "an unknown event type",
      request: `PUT ${one}`,
      body: { url, filterTypes: ["zzz"] },
      status: 422,
    },
    { name: "no URL", request: `PUT ${one}`, body: {}, status: 422 },
    { name: "in no application", request: "PUT /app/nope/endpoint/one", body: { url }, status: 404 },
    { name: "another org's", request: `PUT ${one}`, as: "otherOrg", body: { url }, status: 404 },
    { name: "by a foreign app token", request: `PUT ${one}`, as: "foreign", body: { url }, status: 404 },
    {
      name: "sets",
      request: `PATCH ${one}`,
      body: { eventTypes: ["a"], channels: ["c"], throttleRate: 4, description: "Now", disabled: true },
      status: 200,
      has: { filterTypes: ["a"], channels: ["c"], rateLimit: 4, disabled: true },
    },
    {
      name: "nothing changes nothing",
      request: `PATCH ${one}`,
      body: {},
      status: 200,
      has: {
        eventTypes: ["a"],
        channels: ["c"],
        throttleRate: 4,
        description: "Now",
        disabled: true,
        uid: "one",
      },
    },
    {
      name: "null and [] clear",
      request: `PATCH ${one}`,
      body: { filterTypes: null, channels: [], rateLimit: 0, disabled: false },
      status: 200,
      has: { eventTypes: null, channels: null, throttleRate: null, disabled: false },
    },
    {
      name: "null is no URL",
      request: `PATCH ${one}`,
      body: { url: null },
      status: 422,
      at: ["body", "url"],
    },
    { name: "an unknown event type", request: `PATCH ${one}`, body: { eventTypes: ["zzz"] }, status: 422 },
    { name: "a taken uid", request: `PATCH ${one}`, body: { uid: "old" }, status: 409 },
    { name: "unknown", request: "PATCH /app/own/endpoint/nope", body: {}, status: 404 },
    { name: "another org's", request: `PATCH ${one}`, as: "otherOrg", body: { disabled: true }, status: 404 },
    {
      name: "by a foreign app token",
      request: `PATCH ${one}`,
      as: "foreign",
      body: { disabled: true },
      status: 404,
    },
    {
      name: "was left alone",
      request: `GET ${one}`,
      status: 200,
      has: { disabled: false, url: "http://example.org/x" },
    },
    {
      name: "newest first",
      request: "GET /app/own/endpoint?limit=2",
      as: "app",
      status: 200,
      shape: "ListResponse_EndpointOut_",
      has: { data: [{ uid: "new" }, {}], done: false },
    },
    {
      name: "oldest first",
      request: "GET /app/own/endpoint?order=ascending",
      status: 200,
      has: { data: [{ uid: "one" }, {}, { uid: "old" }, {}, { uid: "new" }], done: true },
    },
    { name: "a limit that is no number", request: "GET /app/own/endpoint?limit=x", status: 400 },
    { name: "limit 251", request: "GET /app/own/endpoint?limit=251", status: 422 },
    { name: "another kind's iterator", request: "GET /app/own/endpoint?iterator=app_x", status: 422 },
    { name: "another org's", request: `DELETE ${one}`, as: "otherOrg", status: 404 },
    { name: "by a foreign app token", request: `DELETE ${one}`, as: "foreign", status: 404 },
    { name: "it", request: `DELETE ${one}`, as: "app", status: 204 },
    { name: "again", request: `DELETE ${one}`, status: 404 },
    { name: "its headers are gone", request: `GET ${one}/headers`, status: 404 },
    { name: "its secret is gone", request: `GET ${one}/secret`, status: 404 },
    { name: "its uid is free", request: "POST /app/own/endpoint", body: { url, uid: "one" }, status: 201 },
  ],
  () => tokens,
);

test("every change that a worker must see makes the revision grow", async () => {
  const { body } = await api.request("POST", "/app/own/endpoint", { body: { url } });
  const path = `/app/own/endpoint/${body.id}`;
  const revision = async () => {
    const [row] = await api.database.sql`select revision from endpoints where id = ${body.id}`;
    return Number(row?.revision);
  };
  const changes: [string, string, unknown][] = [
    ["PATCH", path, { disabled: true }],
    ["PUT", path, { url }],
    ["PUT", `${path}/headers`, { headers: { a: "1" } }],
    ["PATCH", `${path}/headers`, { headers: { a: "2" } }],
    ["POST", `${path}/secret/rotate`, {}],
    ["DELETE", path, undefined],
  ];
  for (const [n, [method, to, change]] of changes.entries()) {
    expect(await revision()).toBe(n + 1);
    await api.request(method, to, { body: change });
  }
  expect(await revision()).toBe(changes.length + 1);
});

test("enabling an endpoint forgets its failures, other changes don't", async () => {
  const { body } = await api.request("POST", "/app/own/endpoint", { body: { url } });
  const path = `/app/own/endpoint/${body.id}`;
  const failing = async () => {
    const [row] = await api.database.sql`
      select count(*)::int as n from endpoint_health where endpoint_id = ${body.id}`;
    return row?.n === 1;
  };
  const fail = () => api.database.sql`
    insert into endpoint_health (endpoint_id, org_id, failing_since, consecutive_failures)
    values (${body.id}, 'org_a', now() - interval '6 days', 9)`;
  await fail();
  await api.request("PATCH", path, { body: { description: "x" } });
  await api.request("PATCH", path, { body: { disabled: true } });
  expect(await failing()).toBeTrue();
  await api.request("PATCH", path, { body: { disabled: false } });
  expect(await failing()).toBeFalse();
  await fail();
  await api.request("PUT", path, { body: { url } });
  expect(await failing()).toBeFalse();
});
