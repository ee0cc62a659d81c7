import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const own = await api.request("POST", "/app", { body: { name: "Own" } });
  tokens.app = await appToken("org_a", own.body.id);
  tokens.beta = await appToken("org_a", own.body.id, ["beta"]);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const schemas = { "1": { type: "object", required: ["z", "a"], properties: { z: {}, a: { const: 1 } } } };

runScenarios(
  () => api,
  [
    { name: "needs a token", request: "POST /event-type", as: null, body: {}, status: 401 },
    {
      name: "an app token may not",
      request: "POST /event-type",
      as: "app",
      body: { name: "x", description: "" },
      status: 403,
    },
    {
      name: "with everything",
      request: "POST /event-type",
      body: {
        name: "user.signup",
        description: "Signed up",
        schemas,
        groupName: "user",
        deprecated: true,
        unknown: 1,
      },
      status: 201,
      shape: "EventTypeOut",
      has: {
        name: "user.signup",
        archived: false,
        deprecated: true,
        schemas,
        groupName: "user",
        featureFlag: null,
      },
      hasNot: ["unknown", "evtype_", "org_a"],
    },
    {
      name: "a live name",
      request: "POST /event-type",
      body: { name: "user.signup", description: "" },
      status: 409,
      code: "event_type_exists",
    },
    {
      name: "one flag",
      request: "POST /event-type",
      body: { name: "beta.one", description: "", featureFlag: "beta" },
      status: 201,
      has: { featureFlag: "beta", featureFlags: ["beta"] },
    },
    {
      name: "several flags",
      request: "POST /event-type",
      body: { name: "beta.two", description: "", featureFlags: ["alpha", "beta", "beta"] },
      status: 201,
      has: { featureFlag: "alpha", featureFlags: ["alpha", "beta"] },
    },
    {
      name: "a name with a blank",
      request: "POST /event-type",
      body: { name: "a b", description: "" },
      status: 422,
      at: ["body", "name"],
      has: { detail: [{ msg: "must be of letters, digits and - _ . only" }] },
      hasNot: ["a-zA-Z"],
    },
    {
      name: "a name of 257",
      request: "POST /event-type",
      body: { name: "x".repeat(257), description: "" },
      status: 422,
    },
    {
      name: "no description",
      request: "POST /event-type",
      body: { name: "x" },
      status: 422,
      at: ["body", "description"],
    },
    {
      name: "schemas that are no object",
      request: "POST /event-type",
      body: { name: "x", description: "", schemas: "s" },
      status: 422,
      at: ["body", "schemas"],
    },
    { name: "no JSON", request: "POST /event-type", raw: "nope", status: 422 },
    { name: "too large", request: "POST /event-type", raw: "x".repeat(2_000_001), status: 413 },
    {
      name: "with its schemas",
      request: "GET /event-type/user.signup",
      status: 200,
      shape: "EventTypeOut",
      has: { schemas },
    },
    {
      name: "keys in the order they came",
      request: "GET /event-type/user.signup/",
      status: 200,
      check: ({ text }) => expect(text).toContain('"properties":{"z":{},"a":{"const":1}}'),
    },
    { name: "by an app token", request: "GET /event-type/user.signup", as: "app", status: 200 },
    { name: "behind a flag", request: "GET /event-type/beta.one", as: "app", status: 404, hasNot: ["beta"] },
    {
      name: "behind a flag that the token has",
      request: "GET /event-type/beta.two",
      as: "beta",
      status: 200,
    },
    {
      name: "another org's",
      request: "GET /event-type/user.signup",
      as: "otherOrg",
      status: 404,
      hasNot: ["Signed up"],
    },
    { name: "unknown", request: "GET /event-type/nope", status: 404 },
  ],
  () => tokens,
);

test("pages lead through all names and back, those with a dash in front too", async () => {
  const token = await orgToken("org_pages");
  const names = ["--", "-a", "-b", ".c", "A", "a", "b"];
  for (const name of names)
    await api.request("POST", "/event-type", { token, body: { name, description: "" } });
  const get = async (iterator: string | null) => {
    const query = iterator === null ? "" : `&iterator=${encodeURIComponent(iterator)}`;
    return (await api.request("GET", `/event-type?limit=3${query}`, { token })).body;
  };
  const shown = (page: { data: { name: string }[] }) => page.data.map(({ name }) => name);

  const first = await get(null);
  const second = await get(first.iterator);
  const third = await get(second.iterator);
  expect([...shown(first), ...shown(second), ...shown(third)]).toEqual(names);
  expect([first.done, second.done, third.done]).toEqual([false, false, true]);
  expect(shown(await get(third.prevIterator))).toEqual(shown(second));
  expect(shown(await get(second.prevIterator))).toEqual(shown(first));
});

test("of several who create one name at once, one does", async () => {
  const create = () => api.request("POST", "/event-type", { body: { name: "race", description: "" } });
  const statuses = (await Promise.all(Array.from({ length: 8 }, create))).map(({ status }) => status);
  expect(statuses.sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
});
