import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Api, appToken, orgToken, signJwt, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const own = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  tokens.app = await appToken("org_a", own.body.id);
  tokens.otherOrg = await orgToken("org_b");
  tokens.forged = await signJwt({ sub: "org_a" }, "another secret of 32 characters!");
  tokens.expired = await signJwt({ sub: "org_a" }, undefined, "-1 minute");
  tokens.nobody = await signJwt({ sub: "user_1" });
});
afterAll(() => api.stop());

runScenarios(
  () => api,
  [
    { name: "needs a token", request: "GET /app", as: null, status: 401, code: "authentication_failed" },
    { name: "a foreign signature", request: "GET /app", as: "forged", status: 401, hasNot: ["Own"] },
    { name: "an expired token", request: "GET /app", as: "expired", status: 401 },
    { name: "a token of no org", request: "GET /app", as: "nobody", status: 401 },
    { name: "401 comes before any look at the body", request: "POST /app", as: null, raw: "{", status: 401 },
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
      name: "no JSON",
      request: "POST /app",
      raw: "{",
      status: 422,
      has: { detail: [{ loc: ["body"], type: "value_error.jsondecode" }] },
    },
    {
      name: "no UTF-8",
      request: "POST /app",
      raw: new Uint8Array([0x22, 0xff, 0x22]),
      status: 422,
      at: ["body"],
    },
    { name: "no body", request: "POST /app", raw: "", status: 422, at: ["body"] },
    { name: "a body of null", request: "POST /app", raw: "null", status: 422 },
    { name: "a list as body", request: "POST /app", raw: "[]", status: 422 },
    {
      name: "2 MB and a byte",
      request: "POST /app",
      raw: "x".repeat(2_000_001),
      status: 413,
      code: "payload_too_large",
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
    { name: "no route", request: "GET /nope", status: 404 },

    {
      name: "replaces, clearing what is absent",
      request: "PUT /app/one",
      body: { name: "Uno", uid: "one" },
      status: 200,
      has: { throttleRate: null, metadata: {} },
    },
    {
      name: "creates, without the path's uid",
      request: "PUT /app/brand-new",
      body: { name: "New" },
      status: 201,
      has: { uid: null },
    },
    { name: "to a taken uid", request: "PUT /app/one", body: { name: "x", uid: "two" }, status: 409 },
    {
      name: "creating with a taken uid",
      request: "PUT /app/absent",
      body: { name: "x", uid: "two" },
      status: 409,
    },
    { name: "without a name", request: "PUT /app/one", body: {}, status: 422 },

    {
      name: "nothing changes nothing",
      request: "PATCH /app/two",
      body: {},
      status: 200,
      has: { name: "Two", throttleRate: 7 },
    },
    {
      name: "null clears",
      request: "PATCH /app/two",
      body: { throttleRate: null },
      status: 200,
      has: { throttleRate: null, uid: "two" },
    },
    {
      name: "the 1.x field",
      request: "PATCH /app/two",
      body: { rateLimit: 3 },
      status: 200,
      has: { throttleRate: 3 },
    },
    {
      name: "0 clears too",
      request: "PATCH /app/two",
      body: { throttleRate: 0 },
      status: 200,
      has: { rateLimit: null },
    },
    { name: "to a taken uid", request: "PATCH /app/two", body: { uid: "one" }, status: 409 },
    { name: "an unknown one", request: "PATCH /app/nope", body: {}, status: 404 },
    {
      name: "another org's",
      request: "PATCH /app/two",
      as: "otherOrg",
      body: { name: "Stolen" },
      status: 404,
    },
    { name: "a bad uid", request: "PATCH /app/two", body: { uid: "" }, status: 422 },
    { name: "the uid goes", request: "PATCH /app/two", body: { uid: null }, status: 200, has: { uid: null } },
    { name: "and names nothing any more", request: "GET /app/two", status: 404 },

    { name: "another org's", request: "DELETE /app/one", as: "otherOrg", status: 404 },
    { name: "it", request: "DELETE /app/one", status: 204 },
    { name: "again", request: "DELETE /app/one", status: 404 },
    { name: "its uid is free", request: "POST /app", body: { name: "Next", uid: "one" }, status: 201 },

    { name: "a limit that is no number", request: "GET /app?limit=many", status: 400, code: "generic_error" },
    { name: "a fractional limit", request: "GET /app?limit=1.5", status: 400 },
    { name: "limit 0", request: "GET /app?limit=0", status: 422, at: ["query", "limit"] },
    { name: "limit 251", request: "GET /app?limit=251", status: 422, at: ["query", "limit"] },
    {
      name: "another kind's iterator",
      request: "GET /app?iterator=ep_1",
      status: 422,
      at: ["query", "iterator"],
    },
    { name: "another order", request: "GET /app?order=up", status: 400 },
    {
      name: "unknown parameters",
      request: "GET /app?limit=1&with_msg=true&x=1&x=2",
      status: 200,
      shape: "ListResponse_ApplicationOut_",
    },
    {
      name: "another org's list",
      request: "GET /app",
      as: "otherOrg",
      status: 200,
      has: { data: [], done: true, iterator: null },
    },
  ],
  () => tokens,
);

test("the JWT secret as a token gets a sentence of its own", async () => {
  const { status, body } = await api.request("GET", "/app", {
    token: "the tests' secret, 32 characters long",
  });
  expect(status).toBe(401);
  expect(body.detail).toStartWith("Authentication failed. JWT signing secrets can not be used as tokens");
});

test("a body without a length is cut off at the limit", async () => {
  let sent = 0;
  const raw = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      if (sent > 30) return controller.close();
      controller.enqueue(new Uint8Array(100_000).fill(0x20));
    },
  });
  expect((await api.request("POST", "/app", { raw })).status).toBe(413);
});

test("the request id is the client's own, or one of ours", async () => {
  const id = async (headers: Record<string, string>) =>
    (await api.request("GET", "/app?limit=1", { headers })).headers.get("x-request-id");
  expect(await id({ "x-request-id": "mine-1" })).toBe("mine-1");
  expect(await id({ "svix-req-id": "theirs.2" })).toBe("theirs.2");
  expect(await id({ "x-request-id": "no good" })).toMatch(/^req_[0-9A-Za-z]{27}$/);
});

test("a browser may ask from anywhere", async () => {
  const response = await fetch(`${api.url}/api/v1/app`, {
    method: "OPTIONS",
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,idempotency-key",
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("access-control-allow-methods")).toContain("POST");
  expect(response.headers.get("access-control-allow-headers")).toBe("authorization,idempotency-key");
});

describe("pages", () => {
  test("lead through all and back again, ascending unless told", async () => {
    const token = await orgToken("org_pages");
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await api.request("POST", "/app", { token, body: { name } });
    const get = async (query: string) => (await api.request("GET", `/app?limit=2${query}`, { token })).body;
    const shown = (page: { data: { name: string }[] }) => page.data.map(({ name }) => name).join("");

    const first = await get("");
    const second = await get(`&iterator=${first.iterator}`);
    const third = await get(`&iterator=${second.iterator}`);
    expect([first, second, third].map(shown)).toEqual(["ab", "cd", "e"]);
    expect([first, second, third].map(({ done }) => done)).toEqual([false, false, true]);
    const back = await get(`&iterator=${third.prevIterator}`);
    expect([shown(back), back.done]).toEqual(["cd", false]);
    const start = await get(`&iterator=${back.prevIterator}`);
    expect([shown(start), start.done]).toEqual(["ab", true]);
    expect(shown(await get("&order=descending"))).toBe("ed");
  });
});

test("a deleted application takes its endpoints along", async () => {
  await api.request("POST", "/app", { body: { name: "Doomed", uid: "doomed" } });
  const { body } = await api.request("POST", "/app/doomed/endpoint", { body: { url: "http://127.0.0.1/" } });
  expect((await api.request("DELETE", "/app/doomed")).status).toBe(204);
  const [row] = await api.database.sql`select deleted_at, revision from endpoints where id = ${body.id}`;
  expect(row?.deleted_at).not.toBeNull();
  expect(Number(row?.revision)).toBe(2);
});
