import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const own = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  tokens.app = await appToken("org_a", own.body.id);
  const add = (uid: string, throttleRate: number) =>
    api.request("POST", "/app", { body: { name: uid, uid, throttleRate, metadata: { a: "b" } } });
  await add("one", 10);
  await add("two", 7);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

runScenarios(
  () => api,
  [
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
      has: { name: "two", throttleRate: 7, metadata: { a: "b" } },
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
