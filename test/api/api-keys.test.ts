import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { type Api, appToken, type Json, orgToken, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
const ids: Record<string, string> = {};

const create = async (body: object, token?: string): Promise<Json> =>
  (await api.request("POST", "/auth/api-key", { body, ...(token && { token }) })).body;

beforeAll(async () => {
  api = await startApi({ watch: true });
  const { body } = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  await api.request("POST", "/app/own/endpoint", { body: { url: "https://example.com", uid: "one" } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
  for (const scope of ["read", "write", "admin"]) {
    const key = await create({ name: scope, scopes: [scope] });
    tokens[scope] = key.token;
    ids[scope] = key.id;
  }
  tokens.foreign = (
    await create({ name: "foreign", scopes: ["read", "write", "admin"] }, tokens.otherOrg)
  ).token;
  tokens.wrong = `key_${"A".repeat(43)}`;
  tokens.short = "key_";
});
afterAll(() => api.stop());

const keys = "/auth/api-key";
const message = { eventType: "user.signup", payload: {} };

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${keys}`, as: null, status: 401 },
    { name: "an app token may not", request: `GET ${keys}`, as: "app", status: 403 },
    { name: "an app token may not", request: `POST ${keys}`, as: "app", body: { name: "x" }, status: 403 },
    {
      name: "reads and writes unless told",
      request: `POST ${keys}/`,
      body: { name: "Backend", unknown: 1 },
      status: 201,
      shape: "ApiTokenOut",
      has: { name: "Backend", scopes: ["read", "write"], expiresAt: null },
    },
    {
      name: "each scope once, in order",
      request: `POST ${keys}`,
      body: { name: "All", scopes: ["admin", "read", "admin"], expiry: 60 },
      status: 201,
      has: { scopes: ["read", "admin"] },
      check: ({ body }) => {
        const inSeconds = (Date.parse(body.expiresAt) - Date.now()) / 1000;
        expect(inSeconds).toBeGreaterThan(50);
        expect(inSeconds).toBeLessThanOrEqual(60);
      },
    },
    { name: "no name", request: `POST ${keys}`, body: {}, status: 422, at: ["body", "name"] },
    { name: "an empty name", request: `POST ${keys}`, body: { name: "" }, status: 422, at: ["body", "name"] },
    { name: "no scopes", request: `POST ${keys}`, body: { name: "x", scopes: [] }, status: 422 },
    {
      name: "a scope unheard of",
      request: `POST ${keys}`,
      body: { name: "x", scopes: ["root"] },
      status: 422,
    },
    { name: "no time", request: `POST ${keys}`, body: { name: "x", expiry: 0 }, status: 422 },
    { name: "no JSON", request: `POST ${keys}`, raw: "{", status: 422 },
    {
      name: "newest first, without the tokens",
      request: `GET ${keys}?limit=2`,
      status: 200,
      shape: "ListResponse_ApiTokenCensoredOut_",
      has: { data: [{ name: "All" }, { name: "Backend" }], done: false },
      hasNot: ["foreign", '"token"', "Hash"],
      check: ({ text }) => expect(text).not.toContain(tokens.read as string),
    },
    {
      name: "oldest first",
      request: `GET ${keys}?order=ascending&limit=1`,
      status: 200,
      has: { data: [{ name: "read" }] },
    },
    { name: "a bad iterator", request: `GET ${keys}?iterator=nope`, status: 422 },
    {
      name: "another org sees its own",
      request: `GET ${keys}`,
      as: "otherOrg",
      status: 200,
      hasNot: ["Backend"],
    },

    { name: "read may look", request: "GET /app/own", as: "read", status: 200 },
    { name: "read may look for", request: "HEAD /app/own", as: "read", status: 200 },
    { name: "read sees no secret", request: "GET /app/own/endpoint/one/secret", as: "read", status: 403 },
    { name: "admin does", request: "GET /app/own/endpoint/one/secret", as: "admin", status: 200 },
    {
      name: "read moves no consumer",
      request: "GET /app/own/poller/one/consumer/c",
      as: "read",
      status: 403,
    },
    { name: "read may not make", request: "POST /app", as: "read", body: { name: "x" }, status: 403 },
    { name: "read may not send", request: "POST /app/own/msg", as: "read", body: message, status: 403 },
    { name: "nor learns what it takes", request: "POST /app", as: "read", body: {}, status: 403 },
    { name: "read may not delete", request: "DELETE /app/own", as: "read", status: 403 },
    { name: "read may see no keys", request: `GET ${keys}`, as: "read", status: 403 },
    { name: "write may send", request: "POST /app/own/msg", as: "write", body: message, status: 202 },
    { name: "write may change", request: "PATCH /app/own", as: "write", body: { name: "New" }, status: 200 },
    { name: "write may not look", request: "GET /app/own/endpoint/one/secret", as: "write", status: 403 },
    {
      name: "write may make no keys",
      request: `POST ${keys}`,
      as: "write",
      body: { name: "x" },
      status: 403,
    },
    {
      name: "write may open no portal",
      request: "POST /auth/app-portal-access/own",
      as: "write",
      body: {},
      status: 403,
    },
    {
      name: "admin may open one",
      request: "POST /auth/app-portal-access/own",
      as: "admin",
      body: {},
      status: 200,
    },
    { name: "admin may make keys", request: `POST ${keys}/`, as: "admin", body: { name: "x" }, status: 201 },
    { name: "admin reads no data", request: "GET /app", as: "admin", status: 403 },
    { name: "another org's key", request: "GET /app/own", as: "foreign", status: 404 },
    { name: "another org's key", request: "POST /app/own/msg", as: "foreign", body: message, status: 404 },
    {
      name: "a key that never was",
      request: "GET /app/own",
      as: "wrong",
      status: 401,
      code: "authentication_failed",
      has: { detail: "Invalid token" },
    },
    {
      name: "no key at all",
      request: "GET /app/own",
      as: "short",
      status: 401,
      code: "authentication_failed",
    },
    { name: "that is not there", request: `GET ${keys}/key_none`, status: 404 },
    { name: "to revoke", request: `DELETE ${keys}/key_none`, status: 404 },
    { name: "to expire", request: `POST ${keys}/key_none/expire`, body: {}, status: 404 },
    { name: "too late", request: `POST ${keys}/key_none/expire`, body: { expiry: 259_201 }, status: 422 },
  ],
  () => tokens,
);

describe("a key", () => {
  test("is stored as its hash, and told apart by its end", async () => {
    const { id, token } = await create({ name: "stored" });
    expect(token).toMatch(/^key_[\w-]{43}$/);
    const [row] = await api.database.sql`select k::text as text, token_hash from api_keys k where id = ${id}`;
    expect(row?.token_hash).toBe(createHash("sha256").update(token).digest("hex"));
    expect(row?.text).not.toContain(token);
    const { body, text } = await api.request("GET", `${keys}/${id}`);
    expect(body.censoredToken).toBe(`key_…${token.slice(-4)}`);
    expect(text).not.toContain(token);
  });

  test("is in no table in the clear, even when it was made under an idempotency key", async () => {
    const options = { body: { name: "once" }, headers: { "idempotency-key": "auto_once" } };
    const first = await api.request("POST", keys, options);
    const again = await api.request("POST", keys, options);
    expect([first.status, again.body]).toEqual([201, first.body]);
    const rows = await api.database.sql`select k::text as text from idempotency_keys k`;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map(({ text }) => text).join()).not.toContain(first.body.token);
  });

  test("is nobody's once it was revoked, and another org can't", async () => {
    const { id, token } = await create({ name: "short-lived" });
    const status = async () => (await api.request("GET", "/app", { token })).status;
    const other = { token: tokens.otherOrg as string };
    expect((await api.request("DELETE", `${keys}/${id}`, other)).status).toBe(404);
    expect((await api.request("POST", `${keys}/${id}/expire`, { ...other, body: {} })).status).toBe(404);
    expect((await api.request("GET", `${keys}/${id}`, other)).status).toBe(404);
    expect(await status()).toBe(200);
    expect((await api.request("POST", `${keys}/${id}/expire`, { body: {} })).status).toBe(204);
    await until(async () => (await status()) === 401);
    expect(await status()).toBe(401);
    expect((await api.request("GET", `${keys}/${id}`)).status).toBe(404);
    const actions = await api.database
      .sql`select action, actor from audit_log where target = ${id} order by id`;
    expect(actions.map(({ action }) => action)).toEqual(["api-key.create", "api-key.revoke"]);
  }, 15_000);

  test("that has expired is refused, and stays in the list until it is revoked", async () => {
    const { id, token } = await create({ name: "expired", expiry: 1 });
    expect((await api.request("GET", "/app", { token })).status).toBe(200);
    await until(async () => (await api.request("GET", "/app", { token })).status === 401);
    expect((await api.request("GET", `${keys}/${id}`)).body.name).toBe("expired");
  });

  test("is good for a while after it was told to expire", async () => {
    const { id, token } = await create({ name: "rotated" });
    expect((await api.request("POST", `${keys}/${id}/expire`, { body: { expiry: 60 } })).status).toBe(204);
    expect((await api.request("GET", "/app", { token })).status).toBe(200);
    const { body } = await api.request("GET", `${keys}/${id}`);
    expect(Date.parse(body.expiresAt)).toBeLessThan(Date.now() + 61_000);
  });
});
