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
  await api.request("PUT", "/event-type/hidden", { body: { description: "", featureFlag: "beta" } });
});
afterAll(() => api.stop());

const url = "https://example.com/hook";
const one = "/app/own/endpoint/one";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: "GET /app/own/endpoint", as: null, status: 401 },
    {
      name: "nothing yet",
      request: "GET /app/own/endpoint",
      status: 200,
      has: { data: [], done: true, iterator: null, prevIterator: null },
    },
    { name: "of no application", request: "GET /app/nope/endpoint", status: 404 },
    { name: "of another org's application", request: "GET /app/own/endpoint", as: "otherOrg", status: 404 },
    {
      name: "of an application that the token is not for",
      request: "GET /app/own/endpoint",
      as: "foreign",
      status: 404,
    },
    {
      name: "with everything",
      request: "POST /app/own/endpoint",
      body: {
        url: "HTTPS://User:pw@EXAMPLE.com",
        uid: "one",
        description: "First",
        eventTypes: ["a", "b", "a"],
        channels: ["c1", "x:y+z"],
        throttleRate: 5,
        metadata: { k: "v" },
        version: 3,
        headers: { "X-Tag": "1" },
        secret: `whsec_${"A".repeat(32)}`,
        unknown: true,
      },
      status: 201,
      shape: "EndpointOut",
      has: {
        uid: "one",
        url: "https://User:pw@example.com/",
        eventTypes: ["a", "b"],
        filterTypes: ["a", "b"],
        channels: ["c1", "x:y+z"],
        throttleRate: 5,
        rateLimit: 5,
        version: 3,
        disabled: false,
        metadata: { k: "v" },
      },
      hasNot: ["whsec_", "X-Tag", "unknown", "org_a", "revision"],
    },
    { name: "its headers", request: `GET ${one}/headers`, status: 200, has: { headers: { "X-Tag": "1" } } },
    {
      name: "its secret",
      request: `GET ${one}/secret`,
      status: 200,
      has: { key: `whsec_${"A".repeat(32)}` },
    },
    {
      name: "only a URL, by an app token",
      request: "POST /app/own/endpoint/",
      as: "app",
      body: { url },
      status: 201,
      has: {
        uid: null,
        description: "",
        eventTypes: null,
        filterTypes: null,
        channels: null,
        throttleRate: null,
        version: 1,
        metadata: {},
      },
    },
    {
      name: "1.x fields",
      request: "POST /app/own/endpoint",
      body: { url, uid: "old", filterTypes: ["a"], rateLimit: 9, version: 1 },
      status: 201,
      has: { eventTypes: ["a"], throttleRate: 9 },
    },
    {
      name: "empty filters are none",
      request: "POST /app/own/endpoint",
      body: { url, filterTypes: [], channels: [] },
      status: 201,
      has: { eventTypes: null, channels: null },
    },
    {
      name: "a taken uid",
      request: "POST /app/own/endpoint",
      body: { url, uid: "one" },
      status: 409,
      code: "conflict",
    },
    {
      name: "the same uid elsewhere",
      request: "POST /app/other/endpoint",
      body: { url, uid: "one" },
      status: 201,
    },
    {
      name: "an unknown event type",
      request: "POST /app/own/endpoint",
      body: { url, eventTypes: ["a", "zzz"] },
      status: 422,
      at: ["body", "eventTypes"],
    },
    {
      name: "an event type that the token can't see",
      request: "POST /app/own/endpoint",
      as: "app",
      body: { url, eventTypes: ["hidden"] },
      status: 422,
    },
    { name: "no URL", request: "POST /app/own/endpoint", body: {}, status: 422, at: ["body", "url"] },
    {
      name: "ftp",
      request: "POST /app/own/endpoint",
      body: { url: "ftp://example.com" },
      status: 422,
      at: ["body", "url"],
    },
    {
      name: "javascript",
      request: "POST /app/own/endpoint",
      body: { url: "javascript:alert(1)" },
      status: 422,
    },
    { name: "a relative URL", request: "POST /app/own/endpoint", body: { url: "/hook" }, status: 422 },
    { name: "no host", request: "POST /app/own/endpoint", body: { url: "https://" }, status: 422 },
    {
      name: "a URL of 65,537",
      request: "POST /app/own/endpoint",
      body: { url: `${url}?${"x".repeat(65_537)}` },
      status: 422,
    },
    {
      name: "a uid like an id",
      request: "POST /app/own/endpoint",
      body: { url, uid: "ep_x" },
      status: 422,
      at: ["body", "uid"],
    },
    {
      name: "a channel with a blank",
      request: "POST /app/own/endpoint",
      body: { url, channels: ["a b"] },
      status: 422,
      at: ["body", "channels", "0"],
    },
    {
      name: "eleven channels",
      request: "POST /app/own/endpoint",
      body: { url, channels: Array.from({ length: 11 }, (_, n) => `c${n}`) },
      status: 422,
    },
    {
      name: "too much metadata",
      request: "POST /app/own/endpoint",
      body: { url, metadata: { a: "x".repeat(4096) } },
      status: 422,
    },
    {
      name: "a bad secret",
      request: "POST /app/own/endpoint",
      body: { url, secret: "whsec_short" },
      status: 422,
      at: ["body", "secret"],
      hasNot: ["short"],
    },
    {
      name: "a forbidden header",
      request: "POST /app/own/endpoint",
      body: { url, headers: { "svix-id": "1" } },
      status: 422,
      at: ["body", "headers", "svix-id"],
    },
    { name: "no JSON", request: "POST /app/own/endpoint", raw: "{]", status: 422 },
    { name: "too large", request: "POST /app/own/endpoint", raw: "x".repeat(2_000_001), status: 413 },
    { name: "in no application", request: "POST /app/nope/endpoint", body: { url }, status: 404 },
    {
      name: "in another org's application",
      request: "POST /app/own/endpoint",
      as: "otherOrg",
      body: { url },
      status: 404,
    },
    {
      name: "in an application that the token is not for",
      request: "POST /app/own/endpoint",
      as: "foreign",
      body: { url },
      status: 404,
    },
    {
      name: "by uid",
      request: `GET ${one}/`,
      status: 200,
      shape: "EndpointDetailOut",
      has: { description: "First" },
    },
    { name: "through another application", request: "GET /app/other/endpoint/old", status: 404 },
    { name: "unknown", request: "GET /app/own/endpoint/nope", status: 404 },
    { name: "by another org", request: `GET ${one}`, as: "otherOrg", status: 404, hasNot: ["example.com"] },
    { name: "by a foreign app token", request: `GET ${one}`, as: "foreign", status: 404 },
  ],
  () => tokens,
);

test("https only, when so configured", async () => {
  const strict = await startApi({ settings: { endpointHttpsOnly: true }, database: api.database });
  const post = (to: string) => strict.request("POST", "/app/own/endpoint", { body: { url: to } });
  expect((await post("http://example.com")).status).toBe(422);
  expect((await post("https://example.com")).status).toBe(201);
  await strict.stop();
});
