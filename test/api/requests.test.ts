import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, signJwt, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
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
    { name: "no route", request: "GET /nope", status: 404 },
    { name: "no such method", request: "PATCH /app", body: {}, status: 404 },
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
