import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { notImplementedPaths } from "../../src/routes/not-implemented.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let there: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi({ watch: true });
  there = await startApi({ watch: true, database: api.database });
  const { body } = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  await api.request("POST", "/app", { body: { name: "Other", uid: "other" } });
  const make = (app: string, uid: string, url: string) =>
    api.request("POST", `/app/${app}/endpoint`, { body: { url, uid } });
  await make("own", "sink", "poll:sink");
  await make("own", "beside", "poll:beside");
  await make("own", "called", "http://127.0.0.1/");
  await make("other", "sink", "poll:sink");
  await api.request("POST", "/app/own/msg", { body: { eventType: "a", payload: { n: 1 } } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
  const key = await api.request("POST", "/auth/api-key", { body: { name: "x", scopes: ["read", "write"] } });
  tokens.narrow = key.body.token;
  for (const [name, capabilities] of Object.entries({
    looker: ["ViewBase"],
    manager: ["ViewBase", "ManageEndpoint"],
  })) {
    const portal = await api.request("POST", "/auth/app-portal-access/own", { body: { capabilities } });
    tokens[name] = portal.body.token;
  }
});
afterAll(async () => {
  await there.stop();
  await api.stop();
});

const at = "/auth/app/own/poller/sink/token";
const after = new Date(0).toISOString();

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${at}`, as: null, status: 401 },
    { name: "an app token may not", request: `GET ${at}`, as: "app", status: 403 },
    { name: "nor a narrow key", request: `POST ${at}/rotate`, as: "narrow", body: {}, status: 403 },
    { name: "another org", request: `POST ${at}/rotate`, as: "otherOrg", body: {}, status: 404 },
    {
      name: "none yet",
      request: `GET ${at}`,
      status: 404,
      has: { detail: expect.stringContaining("rotate") },
    },
    { name: "no endpoint", request: "POST /auth/app/own/poller/none/token/rotate", body: {}, status: 404 },
    {
      name: "no application",
      request: "POST /auth/app/none/poller/sink/token/rotate",
      body: {},
      status: 404,
    },
    {
      name: "one that is called",
      request: "POST /auth/app/own/poller/called/token/rotate",
      body: {},
      status: 400,
    },
    {
      name: "too long",
      request: `POST ${at}/rotate`,
      body: { expiry: 31_536_001 },
      status: 422,
      at: ["body", "expiry"],
    },
    { name: "too late", request: `POST ${at}/rotate`, body: { oldTokenExpiry: 86_401 }, status: 422 },
    {
      name: "the first",
      request: `POST ${at}/rotate`,
      body: {},
      status: 201,
      has: { id: expect.stringMatching(/^poll_/), expiresAt: null, name: null },
      check: ({ body }) => {
        tokens.poller = body.token;
      },
    },
    {
      name: "is the one that is current",
      request: `GET ${at}`,
      status: 200,
      check: ({ body }) => expect(body.token).toBe(tokens.poller),
    },
    {
      name: "reads",
      request: "GET /app/own/poller/sink",
      as: "poller",
      status: 200,
      has: { data: [{ payload: { n: 1 } }] },
    },
    {
      name: "reads as a consumer",
      request: "GET /app/own/poller/sink/consumer/c",
      as: "poller",
      status: 200,
    },
    {
      name: "moves a consumer",
      request: "POST /app/own/poller/sink/consumer/c/seek",
      as: "poller",
      body: { after },
      status: 200,
    },
    { name: "reads no endpoint beside", request: "GET /app/own/poller/beside", as: "poller", status: 404 },
    { name: "nor another application's", request: "GET /app/other/poller/sink", as: "poller", status: 404 },
    {
      name: "moves none beside",
      request: "POST /app/own/poller/beside/consumer/c/seek",
      as: "poller",
      body: { after },
      status: 404,
    },
    { name: "who may look reads too", request: "GET /app/own/poller/sink", as: "looker", status: 200 },
    { name: "but moves nobody", request: "GET /app/own/poller/sink/consumer/c", as: "looker", status: 403 },
    {
      name: "by no seek either",
      request: "POST /app/own/poller/sink/consumer/c/seek",
      as: "looker",
      body: { after },
      status: 403,
    },
    { name: "who manages does", request: "GET /app/own/poller/sink/consumer/c", as: "manager", status: 200 },
  ],
  () => tokens,
);

test("no other route lets it in", async () => {
  const routes = api.app.routes
    .filter(({ path }) => path.startsWith("/api/v1/") && !path.startsWith("/api/v1/health"))
    .filter(({ path }) => !notImplementedPaths.includes(path) && !path.includes("/poller/:sink_id"));
  expect(routes.length).toBeGreaterThan(80);
  for (const { method, path } of routes) {
    const names: Record<string, string> = { app_id: "own", endpoint_id: "sink" };
    const place = path.slice("/api/v1".length).replace(/:(\w+)/g, (_, name: string) => names[name] ?? "none");
    const body = method === "GET" || method === "DELETE" ? {} : { body: {} };
    const { status } = await api.request(method, place, { token: tokens.poller ?? "", ...body });
    expect([method, path, status]).toEqual([method, path, 403]);
  }
});

const rotate = async (body: object): Promise<string> =>
  (await api.request("POST", `${at}/rotate`, { body })).body.token;
const status = async (by: Api, token: string) =>
  (await by.request("GET", "/app/own/poller/sink", { token })).status;
const statuses = async (token: string) => [await status(api, token), await status(there, token)];

describe("another token", () => {
  test("ends the one before in every process within five seconds", async () => {
    const before = await rotate({});
    expect(await statuses(before)).toEqual([200, 200]);
    const made = await rotate({ oldTokenExpiry: 0 });
    await until(async () => (await statuses(before)).every((one) => one === 401), 5_000);
    expect(await statuses(made)).toEqual([200, 200]);
  }, 20_000);

  test("leaves it five minutes unless told, and can have an end itself", async () => {
    const before = await rotate({});
    const made = await rotate({ expiry: 3_600 });
    expect(await statuses(before)).toEqual([200, 200]);
    const rows = await api.database.sql`
      select round(extract(epoch from expires_at - now()) / 60)::int as minutes from poller_tokens
      where expires_at > now() order by id desc limit 2`;
    expect(rows.map(({ minutes }) => minutes)).toEqual([60, 5]);
    await api.database
      .sql`update poller_tokens set expires_at = now(), updated_at = now() where expires_at > now()`;
    await until(async () => (await statuses(made)).every((one) => one === 401), 10_000);
  }, 30_000);
});
