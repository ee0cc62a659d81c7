import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const { body } = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
  const schemas = { "1": { title: "T", type: "object" } };
  const one = { name: "user.created", description: "one", schemas, featureFlags: ["f"], groupName: "user" };
  await api.request("POST", "/event-type", { body: one });
  await api.request("POST", "/event-type", { body: { name: "-odd", description: "two", archived: true } });
});
afterAll(() => api.stop());

const put = "POST /environment/import";
runScenarios(
  () => api,
  [
    { name: "needs a token", request: "POST /environment/export", as: null, status: 401 },
    { name: "an app token may not", request: "POST /environment/export", as: "app", status: 403 },
    {
      name: "has all event types, archived ones too",
      request: "POST /environment/export/",
      status: 200,
      shape: "EnvironmentOut",
      has: {
        version: 1,
        connectors: [],
        eventTypes: [
          { name: "-odd", archived: true },
          { name: "user.created", featureFlags: ["f"], groupName: "user", schemas: { "1": { title: "T" } } },
        ],
      },
    },
    { name: "needs a token", request: put, as: null, body: {}, status: 401 },
    { name: "an app token may not", request: put, as: "app", body: {}, status: 403 },
    {
      name: "nothing",
      request: put,
      as: "otherOrg",
      body: { eventTypes: null, settings: null },
      status: 204,
    },
    { name: "no list", request: put, body: { eventTypes: {} }, status: 422, at: ["body", "eventTypes"] },
    {
      name: "a bad one",
      request: put,
      body: { eventTypes: [{ name: "a b", description: "" }] },
      status: 422,
      at: ["body", "eventTypes", "0", "name"],
    },
    { name: "no JSON", request: put, raw: "{", status: 422 },
  ],
  () => tokens,
);

test("what one org exports another takes in, twice, without losing what it has", async () => {
  const token = tokens.otherOrg as string;
  const { body } = await api.request("POST", "/environment/export");
  await api.request("POST", "/event-type", { token, body: { name: "kept", description: "theirs" } });
  await api.request("POST", "/event-type", { token, body: { name: "user.created", description: "old" } });
  for (const _ of [1, 2]) {
    const { status } = await api.request("POST", "/environment/import", { token, body });
    expect(status).toBe(204);
  }
  const all = await api.request("POST", "/environment/export", { token });
  const plain = ({ createdAt: _, updatedAt: __, ...rest }: Record<string, unknown>) => rest;
  const [odd, kept, created] = all.body.eventTypes.map(plain);
  expect([odd, created]).toEqual(body.eventTypes.map(plain));
  expect(kept.description).toBe("theirs");
});

test("a list longer than a page goes both ways, and the last of a name counts", async () => {
  const token = await orgToken("org_c");
  const eventTypes = Array.from({ length: 600 }, (_, n) => ({ name: `t.${n % 599}`, description: `${n}` }));
  expect((await api.request("POST", "/environment/import", { token, body: { eventTypes } })).status).toBe(
    204,
  );
  const { body } = await api.request("POST", "/environment/export", { token });
  expect(body.eventTypes.length).toBe(599);
  expect(body.eventTypes.find(({ name }: { name: string }) => name === "t.0").description).toBe("599");
});

test("an export that went through an SDK's types takes nothing from an event type that they don't know", async () => {
  const token = await orgToken("org_sdk");
  const own = { validatePayloads: true, retrySchedule: [9] };
  const schemas = { "1": { type: "object" } };
  const body = { name: "checked", description: "", schemas, ...own };
  expect((await api.request("POST", "/event-type", { token, body })).status).toBe(201);
  const eventTypes = [{ name: "checked", description: "new", schemas }];
  expect((await api.request("POST", "/environment/import", { token, body: { eventTypes } })).status).toBe(
    204,
  );
  const { body: after } = await api.request("GET", "/event-type/checked", { token });
  expect(after).toMatchObject({ description: "new", ...own });
  const cleared = [{ ...eventTypes[0], retrySchedule: null, validatePayloads: false }];
  await api.request("POST", "/environment/import", { token, body: { eventTypes: cleared } });
  const { body: last } = await api.request("GET", "/event-type/checked", { token });
  expect(last).toMatchObject({ retrySchedule: null, validatePayloads: false });
});
