import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk2 from "svix";
import * as sdk1 from "svix-1";
import { connect } from "../../src/database.ts";
import { newId } from "../../src/lib/ids.ts";
import { createRepos, type Repos } from "../../src/repos/index.ts";
import { runPurgesOnce } from "../../src/tasks/purges.ts";
import { type Api, appToken, orgToken, signJwt, startApi } from "../harness/api.ts";
import { silent } from "../harness/postgres.ts";
import { createRows, type Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let rows: Rows;
let repos: Repos;
let appId: string;
const client = { end: async () => {} };
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const sql = connect(api.database.url, { max: 2, prepare: true, applicationName: "purge test" });
  client.end = () => sql.end({ timeout: 1 });
  repos = createRepos(sql);
  rows = createRows(api.database.sql, "org_a");
  const [app, other] = [await rows.application({ uid: "own" }), await rows.application({ uid: "other" })];
  appId = app.id;
  await rows.endpoint(app.id, { eventTypes: ["a"] });
  await rows.endpoint(app.id, { eventTypes: ["b"], channels: ["c"] });
  await rows.endpoint(app.id, { disabled: true });
  await rows.endpoint(other.id);
  for (const eventId of ["one", "two", "kept", "__proto__"]) await rows.message(app.id, { eventId });
  await rows.message(other.id, { eventId: "theirs" });
  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
  tokens.reader = await signJwt({ sub: app.id, org: "org_a", capabilities: ["ViewBase"] });
});
afterAll(async () => {
  await client.end();
  await api.stop();
});

const filled = async (): Promise<string[]> => {
  const found = await api.database.sql`select event_id from messages where payload is not null order by 1`;
  return found.map(({ event_id }) => event_id as string);
};

const precheck = "POST /app/own/msg/precheck/active" as const;
const some = "POST /app/own/msg/bulk-expunge" as const;
const all = "POST /app/own/msg/expunge-all-contents" as const;
const asks = (active: boolean) => ({ request: precheck, status: 200, has: { active } });

runScenarios(
  () => api,
  [
    { name: "needs a token", request: precheck, as: null, body: { eventType: "a" }, status: 401 },
    { name: "an app token may not", request: precheck, as: "app", body: { eventType: "a" }, status: 403 },
    { name: "another org's", request: precheck, as: "otherOrg", body: { eventType: "a" }, status: 404 },
    {
      name: "no application",
      request: "POST /app/x/msg/precheck/active",
      body: { eventType: "a" },
      status: 404,
      code: "not_found",
    },
    { name: "no type", request: precheck, body: {}, status: 422, at: ["body", "eventType"] },
    { name: "no channels", request: precheck, body: { eventType: "a", channels: [] }, status: 422 },
    { ...asks(true), name: "a type that is asked for", body: { eventType: "a" } },
    { ...asks(true), name: "on any channel", body: { eventType: "a", channels: ["x"] } },
    { ...asks(false), name: "a type that isn't", body: { eventType: "z", channels: null } },
    { ...asks(false), name: "on no channel", body: { eventType: "b" } },
    { ...asks(false), name: "on another channel", body: { eventType: "b", channels: ["x"] } },
    { ...asks(true), name: "on its channel", body: { eventType: "b", channels: ["x", "c"] } },

    { name: "needs a token", request: some, as: null, body: {}, status: 401 },
    { name: "who may only look", request: some, as: "reader", body: { ids: ["one"] }, status: 403 },
    { name: "another app's token", request: some, as: "otherApp", body: { ids: ["one"] }, status: 404 },
    { name: "another org's token", request: some, as: "otherOrg", body: { ids: ["one"] }, status: 404 },
    { name: "no application", request: "POST /app/x/msg/bulk-expunge", body: {}, status: 404 },
    {
      name: "twice the same",
      request: some,
      body: { ids: ["one", "one"] },
      status: 422,
      at: ["body", "ids"],
    },
    { name: "no name", request: some, body: { ids: ["a b"] }, status: 422, at: ["body", "ids", "0"] },
    {
      name: "too many",
      request: some,
      body: { ids: Array.from({ length: 1001 }, (_, n) => `m${n}`) },
      status: 422,
      at: ["body", "ids"],
    },
    { name: "none", request: some, body: {}, status: 200, has: { results: {} } },

    { name: "needs a token", request: all, as: null, status: 401 },
    { name: "an app token may not", request: all, as: "app", status: 403 },
    { name: "another org's token", request: all, as: "otherOrg", status: 404 },
    { name: "no application", request: "POST /app/x/msg/expunge-all-contents", status: 404 },
  ],
  () => tokens,
);

test("what was refused or asked left everything", async () => {
  expect(await filled()).toEqual(["__proto__", "kept", "one", "theirs", "two"]);
  expect([...(await api.database.sql`select id from background_tasks`)]).toEqual([]);
});

test("messages by id, eventId or both, and those of others not at all", async () => {
  const { body: one } = await api.request("GET", "/app/own/msg/one");
  const { body: theirs } = await api.request("GET", "/app/other/msg/theirs");
  const raw = `{"ids": ["one", "${one.id}", "two", "theirs", "${theirs.id}", "none", "__proto__"]}`;
  const answer = await api.request("POST", "/app/own/msg/bulk-expunge", { raw, token: tokens.app as string });
  expect(answer.status).toBe(200);
  expect(Object.entries(answer.body.results as Record<string, string>).toSorted()).toEqual(
    [
      ["__proto__", "expunged"],
      [one.id, "expunged"],
      [theirs.id, "not-found"],
      ["none", "not-found"],
      ["one", "expunged"],
      ["theirs", "not-found"],
      ["two", "expunged"],
    ].toSorted() as [string, string][],
  );
  expect(await filled()).toEqual(["kept", "theirs"]);
  expect((await api.request("GET", "/app/own/msg/one")).body.payload).toEqual({ expired: true });
});

const work = async () => {
  const signal = new AbortController().signal;
  while ((await runPurgesOnce({ repos, log: silent, signal })).taskId !== null);
};

test("all of an application, in batches, and of no other", async () => {
  const ids = Array.from({ length: 1100 }, () => newId("msg_"));
  await api.database.sql`
    insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
    select id, 'org_a', ${appId}, 'a', '{}', now() + interval '1 day' from unnest(${ids}::text[]) as t(id)`;
  const [before] = await api.database.sql`
    select count(*)::int as filled from messages where app_id = ${appId} and payload is not null`;
  const { status, body } = await api.request("POST", "/app/own/msg/expunge-all-contents");
  expect([status, body]).toMatchObject([202, { status: "running", task: "application.purge_content" }]);
  await work();
  const task = await api.request("GET", `/background-task/${body.id}`);
  expect(task.body).toMatchObject({ status: "finished", data: { messagesPurged: before?.filled } });
  expect(before?.filled).toBeGreaterThan(1000);
  expect(await filled()).toEqual(["theirs"]);
  const list = await api.request("GET", "/background-task?task=application.purge_content");
  expect(list.body.data.map(({ id }: { id: string }) => id)).toEqual([body.id]);
});

test("one that is canceled expunges no more", async () => {
  await rows.message(appId, { eventId: "spared" });
  const { body } = await api.request("POST", "/app/own/msg/expunge-all-contents");
  const canceled = await api.request("POST", `/background-task/${body.id}/cancel`);
  expect(canceled.body).toMatchObject({ status: "failed", data: { canceled: true, messagesPurged: 0 } });
  await work();
  expect(await filled()).toContain("spared");
});

test("svix 2.5.0", async () => {
  const { message } = new sdk2.Svix(await orgToken("org_a"), { serverUrl: api.url });
  await rows.message(appId, { eventId: "sdk" });
  expect(await message.precheck("own", { eventType: "a" })).toEqual({ active: true });
  expect(await message.bulkExpungeContent("own", { ids: ["sdk"] })).toEqual({
    results: { sdk: sdk2.BulkExpungeStatus.Expunged },
  });
  expect((await message.expungeAllContents("own")).status as string).toBe("running");
});

test("svix 1.99.1", async () => {
  const { message } = new sdk1.Svix(await orgToken("org_a"), { serverUrl: api.url });
  expect(await message.precheck("own", { eventType: "z" })).toEqual({ active: false });
  expect((await message.expungeAllContents("own")).status as string).toBe("running");
});
