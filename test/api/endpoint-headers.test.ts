import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios, type Scenario } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const make = (uid: string) => api.request("POST", "/app", { body: { name: uid, uid } });
  tokens.app = await appToken("org_a", (await make("own")).body.id);
  tokens.foreign = await appToken("org_a", (await make("other")).body.id);
  tokens.otherOrg = await orgToken("org_b");
  await api.request("POST", "/app/own/endpoint", { body: { url: "https://example.com", uid: "one" } });
});
afterAll(() => api.stop());

const path = "/app/own/endpoint/one/headers";
const put = (name: string, headers: unknown, more: Partial<Scenario> = {}): Scenario => ({
  name,
  request: `PUT ${path}`,
  body: { headers },
  status: 422,
  ...more,
});

const forbidden =
  "user-agent keep-alive proxy-authenticate proxy-authorization te trailers transfer-encoding upgrade age cache-control clear-site-data expires pragma warning content-length content-type content-encoding content-language content-location host connection Webhook-Id webhook-signature x-amz-a x-amzn-a X-Google-a x-goog-a x-gfea x-azure-a x-fd-a x-svix-a Svix-Signature";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${path}`, as: null, status: 401 },
    {
      name: "none yet",
      request: `GET ${path}`,
      status: 200,
      shape: "EndpointHeadersOut",
      has: { headers: {}, sensitive: [] },
    },
    put(
      "sets",
      { "X-One": "1", Authorization: "Bearer abc", "x-api-key": "k3y", "X-Empty": "" },
      { status: 204 },
    ),
    {
      name: "hides credentials and names them",
      request: `GET ${path}/`,
      as: "app",
      status: 200,
      shape: "EndpointHeadersOut",
      has: { headers: { "X-One": "1", "X-Empty": "" } },
      hasNot: ["abc", "k3y"],
      check: ({ body }) => expect(body.sensitive.sort()).toEqual(["Authorization", "x-api-key"]),
    },
    put("replaces all", { "X-Two": "2", "X-Three": "3" }, { status: 204, as: "app" }),
    {
      name: "the old ones are gone",
      request: `GET ${path}`,
      status: 200,
      has: { headers: { "X-Two": "2", "X-Three": "3" }, sensitive: [] },
      hasNot: ["X-One"],
    },

    ...forbidden
      .split(" ")
      .map((name) => put(`may not set ${name}`, { [name]: "x" }, { at: ["body", "headers", name] })),
    put("no header name", { "a b": "x" }),
    put("an empty name", { "": "x" }),
    put("a colon in a name", { "a:b": "x" }),
    put("a line break in a name", { "a\r\nb": "x" }),
    put("a line break in a value", { a: "x\r\nevil: 1" }),
    put("NUL in a value", { a: "x\u0000" }),
    put("what no client can send", { a: "✓" }),
    put("a value of 4,097", { a: "x".repeat(4097) }, { hasNot: ["xxxx"] }),
    put("a value of 4,096", { "X-Two": "x".repeat(4096), "X-Three": "3" }, { status: 204 }),
    put("twice the same name", { "X-A": "1", "x-a": "2" }),
    put("a number", { a: 1 }, { at: ["body", "headers", "a"] }),
    put("null", { a: null }),
    put("no headers", undefined, { at: ["body", "headers"] }),
    put("in another org", { a: "1" }, { as: "otherOrg", status: 404 }),
    put("by a foreign app token", { a: "1" }, { as: "foreign", status: 404 }),
    {
      name: "of no endpoint",
      request: "PUT /app/own/endpoint/nope/headers",
      body: { headers: {} },
      status: 404,
    },
    { name: "of no endpoint", request: "GET /app/own/endpoint/nope/headers", status: 404 },
    { name: "by another org", request: `GET ${path}`, as: "otherOrg", status: 404, hasNot: ["X-Two"] },
    { name: "by a foreign app token", request: `GET ${path}`, as: "foreign", status: 404 },

    {
      name: "merges, whatever the case",
      request: `PATCH ${path}`,
      body: { headers: { "x-two": "two", "X-Four": "4" } },
      status: 204,
    },
    {
      name: "merged",
      request: `GET ${path}`,
      status: 200,
      check: ({ body }) => expect(body.headers).toEqual({ "x-two": "two", "X-Three": "3", "X-Four": "4" }),
    },
    {
      name: "null deletes, and so does a list",
      request: `PATCH ${path}`,
      as: "app",
      body: { headers: { "x-three": null, "X-Nope": null }, deleteHeaders: ["X-FOUR"] },
      status: 204,
    },
    {
      name: "deleted",
      request: `GET ${path}`,
      status: 200,
      check: ({ body }) => expect(body.headers).toEqual({ "x-two": "two" }),
    },
    { name: "a forbidden one", request: `PATCH ${path}`, body: { headers: { "svix-id": "1" } }, status: 422 },
    { name: "a bad value", request: `PATCH ${path}`, body: { headers: { a: "\n" } }, status: 422 },
    {
      name: "of no endpoint",
      request: "PATCH /app/own/endpoint/nope/headers",
      body: { headers: {} },
      status: 404,
    },
    {
      name: "in another org",
      request: `PATCH ${path}`,
      as: "otherOrg",
      body: { headers: { a: "1" } },
      status: 404,
    },
    {
      name: "by a foreign app token",
      request: `PATCH ${path}`,
      as: "foreign",
      body: { headers: { "x-two": null } },
      status: 404,
    },
    {
      name: "left alone",
      request: `GET ${path}`,
      status: 200,
      check: ({ body }) => expect(body.headers).toEqual({ "x-two": "two" }),
    },
  ],
  () => tokens,
);

test("headers that are merged at the same time all stay", async () => {
  const names = Array.from({ length: 12 }, (_, n) => `X-N${n}`);
  await Promise.all(names.map((name) => api.request("PATCH", path, { body: { headers: { [name]: "1" } } })));
  const { body } = await api.request("GET", path);
  for (const name of names) expect(body.headers[name]).toBe("1");
});
