import { afterAll, beforeAll } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const own = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  tokens.app = await appToken("org_a", own.body.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

runScenarios(
  () => api,
  [
    {
      name: "an app token may not list",
      request: "GET /app",
      as: "app",
      status: 403,
      code: "insufficient access",
    },
    {
      name: "an app token may not create",
      request: "POST /app",
      as: "app",
      body: { name: "x" },
      status: 403,
    },
    {
      name: "an app token may see its own",
      request: "GET /app/own",
      as: "app",
      status: 200,
      has: { uid: "own" },
    },
    { name: "an app token may not delete", request: "DELETE /app/own", as: "app", status: 403 },
    {
      name: "an app token may not change",
      request: "PATCH /app/own",
      as: "app",
      body: { name: "y" },
      status: 403,
    },
    {
      name: "an app token may not replace",
      request: "PUT /app/own",
      as: "app",
      body: { name: "y" },
      status: 403,
    },
    {
      name: "with everything",
      request: "POST /app",
      body: { name: "One", uid: "one", throttleRate: 10, metadata: { tier: "gold" }, unknown: [1] },
      status: 201,
      shape: "ApplicationOut",
      has: { name: "One", uid: "one", throttleRate: 10, rateLimit: 10, metadata: { tier: "gold" } },
      hasNot: ["unknown", "org_a"],
    },
    {
      name: "the 1.x field",
      request: "POST /app/",
      body: { name: "Two", uid: "two", rateLimit: 7 },
      status: 201,
      has: { throttleRate: 7 },
    },
    {
      name: "a taken uid",
      request: "POST /app",
      body: { name: "Other", uid: "one" },
      status: 409,
      code: "conflict",
      has: { detail: "A conflict has occurred" },
      hasNot: ["app_"],
    },
    {
      name: "getOrCreate leaves what is there",
      request: "POST /app?get_if_exists=true",
      body: { name: "Other", uid: "one" },
      status: 200,
      has: { name: "One" },
    },
    {
      name: "getOrCreate creates",
      request: "POST /app?get_if_exists=true",
      body: { name: "Three", uid: "three" },
      status: 201,
    },
    { name: "no name", request: "POST /app", body: { uid: "x" }, status: 422, at: ["body", "name"] },
    { name: "an empty name", request: "POST /app", body: { name: "" }, status: 422, at: ["body", "name"] },
    {
      name: "a uid like an id",
      request: "POST /app",
      body: { name: "x", uid: "app_1" },
      status: 422,
      at: ["body", "uid"],
    },
    {
      name: "a uid with a blank",
      request: "POST /app",
      body: { name: "x", uid: "a b" },
      status: 422,
      at: ["body", "uid"],
    },
    {
      name: "rate 0",
      request: "POST /app",
      body: { name: "x", throttleRate: 0 },
      status: 422,
      at: ["body", "throttleRate"],
    },
    { name: "rate 65536", request: "POST /app", body: { name: "x", throttleRate: 65536 }, status: 422 },
    {
      name: "metadata of numbers",
      request: "POST /app",
      body: { name: "x", metadata: { a: 1 } },
      status: 422,
      at: ["body", "metadata", "a"],
    },
    {
      name: "too much metadata",
      request: "POST /app",
      body: { name: "x", metadata: { a: "é".repeat(2048) } },
      status: 422,
      at: ["body", "metadata"],
      hasNot: ["éé"],
    },
    {
      name: "NUL in a metadata key",
      request: "POST /app",
      body: { name: "x", metadata: { "a\0": "b" } },
      status: 422,
    },
    {
      name: "half a surrogate pair",
      request: "POST /app",
      raw: '{"name":"x","metadata":{"a":"\\ud800"}}',
      status: 422,
    },
    {
      name: "a control character",
      request: "POST /app",
      body: { name: "x\u0001" },
      status: 422,
      at: ["body", "name"],
    },
    {
      name: "get_if_exists of another type",
      request: "POST /app?get_if_exists=7",
      body: { name: "x" },
      status: 400,
    },
    { name: "by uid, with a slash", request: "GET /app/one/", status: 200, shape: "ApplicationOut" },
    { name: "unknown", request: "GET /app/nope", status: 404, code: "not_found" },
    { name: "what can't be an id", request: "GET /app/%00", status: 404 },
    { name: "what can't be decoded", request: "GET /app/%ff", status: 404 },
    { name: "another org's", request: "GET /app/one", as: "otherOrg", status: 404, hasNot: ["One"] },
    { name: "a list as metadata", request: "POST /app", body: { name: "x", metadata: ["a"] }, status: 422 },
    { name: "a text as metadata", request: "POST /app", body: { name: "x", metadata: "a" }, status: 422 },
  ],
  () => tokens,
);
