import { afterAll, beforeAll, expect, test } from "bun:test";
import { decodeJwt } from "jose";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
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

const access = "POST /auth/app-portal-access";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `${access}/own`, as: null, body: {}, status: 401, hasNot: ["url"] },
    { name: "an app token may not", request: `${access}/own`, as: "app", body: {}, status: 403 },
    { name: "another org's application", request: `${access}/own`, as: "otherOrg", body: {}, status: 404 },
    {
      name: "for an application",
      request: `${access}/own/`,
      body: { readOnly: null, unknown: 1 },
      status: 200,
      shape: "AppPortalAccessOut",
    },
    { name: "of no application", request: `${access}/nope`, body: {}, status: 404 },
    {
      name: "made on the way",
      request: `${access}/made`,
      body: { application: { name: "Made", uid: "made" } },
      status: 200,
    },
    { name: "is there", request: "GET /app/made", status: 200, has: { name: "Made" } },
    {
      name: "with another uid",
      request: `${access}/third`,
      body: { application: { name: "x", uid: "y" } },
      status: 422,
      at: ["body", "application", "uid"],
    },
    { name: "a bad application", request: `${access}/own`, body: { application: { name: "" } }, status: 422 },
    {
      name: "too short",
      request: `${access}/own`,
      body: { expiry: 3599 },
      status: 422,
      at: ["body", "expiry"],
    },
    { name: "too long", request: `${access}/own`, body: { expiry: 604_801 }, status: 422 },
    {
      name: "without looking",
      request: `${access}/own`,
      body: { capabilities: ["ManageEndpoint"] },
      status: 422,
      at: ["body", "capabilities"],
    },
    {
      name: "a capability unheard of",
      request: `${access}/own`,
      body: { capabilities: ["All"] },
      status: 422,
    },
    { name: "no session id", request: `${access}/own`, body: { sessionId: "a b" }, status: 422 },
    { name: "a bad flag", request: `${access}/own`, body: { featureFlags: ["a b"] }, status: 422 },
    { name: "no JSON", request: `${access}/own`, raw: "{", status: 422 },
    { name: "too large", request: `${access}/own`, raw: "x".repeat(2_000_001), status: 413 },

    { name: "for 1.x", request: "POST /auth/dashboard-access/own", status: 200, shape: "AppPortalAccessOut" },
    { name: "for 1.x, by an app token", request: "POST /auth/dashboard-access/own", as: "app", status: 403 },
    {
      name: "for 1.x, of another org",
      request: "POST /auth/dashboard-access/own",
      as: "otherOrg",
      status: 404,
    },
    { name: "for 1.x, without a token", request: "POST /auth/dashboard-access/own", as: null, status: 401 },

    { name: "by nobody", request: "POST /auth/logout", as: null, status: 401 },
  ],
  () => tokens,
);

test("the token is good for that application alone, for seven days unless told", async () => {
  await api.request("POST", "/app", { body: { name: "Other", uid: "other" } });
  const { body } = await api.request("POST", "/auth/app-portal-access/own", {
    body: { featureFlags: ["beta"] },
  });
  const get = async (path: string) => (await api.request("GET", path, { token: body.token })).status;
  expect([await get("/app/own"), await get("/app/other"), await get("/app")]).toEqual([200, 404, 403]);
  const { exp = 0, iat = 0, feature_flags } = decodeJwt(body.token);
  expect([exp - iat, feature_flags]).toEqual([604_800, ["beta"]]);

  const key = new URL(body.url).hash.slice("#key=".length);
  expect(JSON.parse(Buffer.from(key, "base64url").toString()).token).toBe(body.token);
  const short = await api.request("POST", "/auth/app-portal-access/own", { body: { expiry: 3600 } });
  const claims = decodeJwt(short.body.token);
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
});
