import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
const at: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi({ watch: true });
  const { body } = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  await api.request("POST", "/app", { body: { name: "Other", uid: "other" } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
  const key = await api.request("POST", "/auth/api-key", { body: { name: "x", scopes: ["read", "write"] } });
  tokens.narrow = key.body.token;
});
afterAll(() => api.stop());

const list = "/app/own/integration";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${list}`, as: null, status: 401 },
    { name: "an app token may not", request: `GET ${list}`, as: "app", status: 403 },
    { name: "another org", request: `GET ${list}`, as: "otherOrg", status: 404 },
    { name: "no application", request: "GET /app/nope/integration", status: 404 },
    { name: "no application", request: "POST /app/nope/integration", body: { name: "x" }, status: 404 },
    { name: "none yet", request: `GET ${list}`, status: 200, has: { data: [], done: true } },
    {
      name: "makes one",
      request: `POST ${list}/`,
      body: { name: "Zap", featureFlags: ["beta", "beta"] },
      status: 201,
      shape: "IntegrationOut",
      has: { name: "Zap", featureFlags: ["beta"] },
      hasNot: ["key"],
    },
    {
      name: "makes another",
      request: `POST ${list}`,
      as: "narrow",
      body: { name: "Two" },
      status: 201,
      has: { featureFlags: null },
    },
    { name: "no name", request: `POST ${list}`, body: {}, status: 422, at: ["body", "name"] },
    {
      name: "too many flags",
      request: `POST ${list}`,
      body: { name: "x", featureFlags: Array(26).fill("a") },
      status: 422,
    },
    {
      name: "newest first",
      request: `GET ${list}`,
      status: 200,
      shape: "ListResponse_IntegrationOut_",
      check: ({ body }) => {
        expect(body.data.map((one: { name: string }) => one.name)).toEqual(["Two", "Zap"]);
        at.integration = body.data[1].id;
      },
    },
    {
      name: "by pages",
      request: `GET ${list}?limit=1&order=ascending`,
      status: 200,
      has: { data: [{ name: "Zap" }], done: false },
    },
    { name: "a bad iterator", request: `GET ${list}?iterator=x`, status: 422 },
    { name: "none of that id", request: `GET ${list}/integ_none`, status: 404 },
    { name: "none to change", request: `PUT ${list}/integ_none`, body: { name: "x" }, status: 404 },
    { name: "none to delete", request: `DELETE ${list}/integ_none`, status: 404 },
    { name: "no key of none", request: `GET ${list}/integ_none/key`, status: 404 },
    { name: "no other key of none", request: `POST ${list}/integ_none/key/rotate`, status: 404 },
    { name: "a key needs a wider token", request: `GET ${list}/integ_none/key`, as: "narrow", status: 403 },
    {
      name: "a key is not for app tokens",
      request: `POST ${list}/integ_none/key/rotate`,
      as: "app",
      status: 403,
    },
  ],
  () => tokens,
);

const status = async (token: string, path = "/app/own/endpoint") =>
  (await api.request("GET", path, { token })).status;

test("a key is good for its application, until there is another", async () => {
  const path = `${list}/${at.integration}`;
  const { key } = (await api.request("GET", `${path}/key`)).body;
  expect((await api.request("GET", `${path}/key`)).body.key).toBe(key);
  expect([await status(key), await status(key, "/app/other/endpoint"), await status(key, "/app")]).toEqual([
    200, 404, 403,
  ]);
  // Ending an application's sessions leaves its integrations alone.
  await api.request("POST", "/auth/app/own/expire-all", { body: {} });
  expect(await status(key)).toBe(200);
  expect((await api.request("GET", `/app/other/integration/${at.integration}/key`)).status).toBe(404);

  const rotated = await api.request("POST", `${path}/key/rotate`);
  expect(rotated.body.key).not.toBe(key);
  expect((await api.request("GET", `${path}/key`)).body.key).toBe(rotated.body.key);
  await until(async () => (await status(key)) === 401, 5_000);
  expect(await status(rotated.body.key)).toBe(200);

  await api.request("DELETE", path);
  await until(async () => (await status(rotated.body.key)) === 401, 5_000);
  expect((await api.request("GET", path)).status).toBe(404);
});

test("a key shows the event types behind its integration's flags, and follows them", async () => {
  await api.request("POST", "/event-type", {
    body: { name: "secret.event", description: "x", featureFlags: ["beta"] },
  });
  const made = await api.request("POST", list, { body: { name: "Flags", featureFlags: ["beta"] } });
  const path = `${list}/${made.body.id}`;
  const { key } = (await api.request("GET", `${path}/key`)).body;
  expect(await status(key, "/event-type/secret.event")).toBe(200);
  expect((await api.request("PUT", path, { body: { name: "Flags" } })).body).toMatchObject({
    featureFlags: null,
  });
  await until(async () => (await status(key, "/event-type/secret.event")) === 404, 5_000);
});

test("no key is stored", async () => {
  const [row] = await api.database.sql`select json_agg(i)::text as text from integrations i`;
  expect(row?.text).not.toContain("eyJ");
});
