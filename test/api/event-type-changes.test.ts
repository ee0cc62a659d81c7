import { afterAll, beforeAll, expect } from "bun:test";
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
  const add = (name: string, more: object) =>
    api.request("POST", "/event-type", { body: { name, description: "First", ...more } });
  await add("user.signup", { schemas, groupName: "user", deprecated: true });
  await add("beta.one", { featureFlag: "beta" });
  await add("beta.two", { featureFlags: ["alpha", "beta"] });
});
afterAll(() => api.stop());

const schemas = { "1": { type: "object", required: ["z", "a"], properties: { z: {}, a: { const: 1 } } } };

runScenarios(
  () => api,
  [
    {
      name: "replaces",
      request: "PUT /event-type/user.signup",
      body: { description: "Again" },
      status: 200,
      has: { description: "Again", schemas: null, groupName: null, deprecated: false },
    },
    {
      name: "creates",
      request: "PUT /event-type/user.left",
      body: { description: "Left", schemas },
      status: 201,
      has: { name: "user.left", schemas },
    },
    { name: "no description", request: "PUT /event-type/user.left", body: {}, status: 422 },
    {
      name: "an app token may not",
      request: "PUT /event-type/user.left",
      as: "app",
      body: { description: "" },
      status: 403,
    },
    {
      name: "another org makes its own",
      request: "PUT /event-type/user.left",
      as: "otherOrg",
      body: { description: "Theirs" },
      status: 201,
    },
    {
      name: "and leaves this one",
      request: "GET /event-type/user.left",
      status: 200,
      has: { description: "Left" },
    },
    {
      name: "absent keeps",
      request: "PATCH /event-type/user.left",
      body: { deprecated: true },
      status: 200,
      has: { description: "Left", schemas, deprecated: true },
    },
    {
      name: "null clears",
      request: "PATCH /event-type/user.left",
      body: { schemas: null },
      status: 200,
      has: { schemas: null },
    },
    {
      name: "a flag",
      request: "PATCH /event-type/user.left",
      body: { featureFlag: "x" },
      status: 200,
      has: { featureFlags: ["x"] },
    },
    {
      name: "no flags",
      request: "PATCH /event-type/user.left",
      body: { featureFlags: null },
      status: 200,
      has: { featureFlag: null },
    },
    {
      name: "no schedule of its own",
      request: "GET /event-type/user.left/retry-schedule",
      as: "app",
      status: 200,
      has: { retrySchedule: null },
    },
    {
      name: "a schedule",
      request: "PUT /event-type/user.left/retry-schedule",
      body: {
        retrySchedule: [
          { secs: 5, nanos: 300_000_000 },
          { secs: 0, nanos: 1 },
        ],
      },
      status: 200,
      has: { retrySchedule: [{ secs: 5, nanos: 300_000_000 }, { nanos: 1 }] },
    },
    {
      name: "is the one that it has",
      request: "GET /event-type/user.left",
      status: 200,
      has: { retrySchedule: [5.3, 1e-9], description: "Left" },
    },
    {
      name: "as durations too",
      request: "GET /event-type/user.left/retry-schedule/",
      status: 200,
      has: {
        retrySchedule: [
          { secs: 5, nanos: 300_000_000 },
          { secs: 0, nanos: 1 },
        ],
      },
    },
    {
      name: "too long",
      request: "PUT /event-type/user.left/retry-schedule",
      body: { retrySchedule: [{ secs: 2_592_000, nanos: 1_000 }] },
      status: 422,
      at: ["body", "retrySchedule", "0"],
    },
    {
      name: "no duration",
      request: "PUT /event-type/user.left/retry-schedule",
      body: { retrySchedule: [5] },
      status: 422,
      at: ["body", "retrySchedule", "0"],
    },
    {
      name: "an app token may not",
      request: "PUT /event-type/user.left/retry-schedule",
      as: "app",
      body: {},
      status: 403,
    },
    {
      name: "another org's",
      request: "GET /event-type/user.signup/retry-schedule",
      as: "otherOrg",
      status: 404,
    },
    {
      name: "of none",
      request: "PUT /event-type/nope/retry-schedule",
      body: { retrySchedule: [] },
      status: 404,
    },
    {
      name: "taken away",
      request: "PUT /event-type/user.left/retry-schedule",
      body: {},
      status: 200,
      has: { retrySchedule: null },
    },
    { name: "unknown", request: "PATCH /event-type/nope", body: {}, status: 404 },
    {
      name: "another org's",
      request: "PATCH /event-type/user.signup",
      as: "otherOrg",
      body: { description: "Stolen" },
      status: 404,
    },
    {
      name: "an app token may not",
      request: "PATCH /event-type/user.left",
      as: "app",
      body: {},
      status: 403,
    },
    {
      name: "a wrong type",
      request: "PATCH /event-type/user.left",
      body: { archived: "yes" },
      status: 422,
      at: ["body", "archived"],
    },
    {
      name: "by name, without schemas",
      request: "GET /event-type?order=descending",
      status: 200,
      shape: "ListResponse_EventTypeOut_",
      has: {
        data: [
          { name: "beta.one" },
          { name: "beta.two" },
          { name: "user.left" },
          { name: "user.signup", schemas: null },
        ],
      },
    },
    {
      name: "an app token sees no flagged ones",
      request: "GET /event-type",
      as: "app",
      status: 200,
      hasNot: ["beta."],
    },
    {
      name: "unless it has the flag",
      request: "GET /event-type",
      as: "beta",
      status: 200,
      has: { data: [{ name: "beta.one" }, { name: "beta.two" }, {}, {}] },
    },
    { name: "a wrong type", request: "GET /event-type?with_content=maybe", status: 400 },
    { name: "limit 251", request: "GET /event-type?limit=251", status: 422 },
    { name: "an iterator that is no name", request: "GET /event-type?iterator=a%20b", status: 422 },
    { name: "an app token may not", request: "DELETE /event-type/user.left", as: "app", status: 403 },
    { name: "archives", request: "DELETE /event-type/user.left", status: 204 },
    { name: "which leaves the list", request: "GET /event-type", status: 200, hasNot: ["user.left"] },
    {
      name: "but can be asked for",
      request: "GET /event-type?include_archived=true",
      status: 200,
      check: ({ text }) => expect(text).toContain("user.left"),
    },
    { name: "and be looked at", request: "GET /event-type/user.left", status: 200, has: { archived: true } },
    {
      name: "an archived name comes back as given",
      request: "POST /event-type",
      body: { name: "user.left", description: "Back", schemas },
      status: 201,
      has: { archived: false, deprecated: false, description: "Back" },
    },
    {
      name: "with schemas",
      request: "GET /event-type?with_content=true",
      status: 200,
      has: { data: [{}, {}, { name: "user.left", schemas }, {}] },
    },
    {
      name: "another org has none of this",
      request: "DELETE /event-type/user.signup?expunge=true",
      as: "otherOrg",
      status: 404,
    },
    { name: "for good", request: "DELETE /event-type/user.left?expunge=true", status: 204 },
    { name: "is gone", request: "GET /event-type/user.left", status: 404 },
    { name: "again", request: "DELETE /event-type/user.left?expunge=true", status: 404 },
    { name: "expunge of another type", request: "DELETE /event-type/user.signup?expunge=7", status: 400 },
  ],
  () => tokens,
);
