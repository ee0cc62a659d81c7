import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { createRepos, type Repos } from "../../src/repos/index.ts";
import { runUsageBatch } from "../../src/services/usage.ts";
import { runUsageOnce } from "../../src/tasks/usage.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { silent } from "../harness/postgres.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
let repos: Repos;
const client = { end: async () => {} };
const tokens: Record<string, string> = {};
const ids: Record<string, string> = {};
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
const range = { since: hoursAgo(2).toISOString(), until: hoursAgo(-1).toISOString() };

beforeAll(async () => {
  api = await startApi();
  const sql = connect(api.database.url, { max: 2, prepare: true, applicationName: "usage test" });
  client.end = () => sql.end({ timeout: 1 });
  repos = createRepos(sql);
  const rows = createRows(api.database.sql, "org_a");
  const [busy, quiet] = [await rows.application({ uid: "busy" }), await rows.application()];
  Object.assign(ids, { busy: busy.id, quiet: quiet.id });
  tokens.app = await appToken("org_a", busy.id);
  tokens.otherOrg = await orgToken("org_b");
  await rows.application({ orgId: "org_b" });

  const one = await rows.endpoint(busy.id, { eventTypes: ["b", "a"] });
  const two = await rows.endpoint(busy.id, { eventTypes: ["a", "c"] });
  await rows.endpoint(quiet.id);
  const [now, old] = [await rows.message(busy.id), await rows.message(busy.id, { at: hoursAgo(3) })];
  await rows.attempt(busy.id, now, one, { status: 2, attempt: 1 });
  await rows.attempt(busy.id, now, one, { attempt: 2 });
  await rows.attempt(busy.id, now, two);
  await rows.attempt(busy.id, old, two, { at: hoursAgo(3) });
  await api.database.sql`update endpoints set deleted_at = now() where id = ${two.id}`;
});
afterAll(async () => {
  await client.end();
  await api.stop();
});

const count = "POST /stats/usage/app";
const aggregate = "PUT /stats/usage/event-types";
runScenarios(
  () => api,
  [
    { name: "needs a token", request: count, as: null, body: range, status: 401 },
    { name: "an app token may not", request: count, as: "app", body: range, status: 403 },
    { name: "no range", request: count, body: {}, status: 422, at: ["body", "since"] },
    { name: "no time", request: count, body: { ...range, until: "x" }, status: 422, at: ["body", "until"] },
    {
      name: "backwards",
      request: count,
      body: { since: range.until, until: range.since },
      status: 422,
      at: ["body", "since"],
    },
    {
      name: "none that exists",
      request: count,
      body: { ...range, appIds: ["nope"] },
      status: 422,
      at: ["body", "appIds"],
    },
    {
      name: "another org's",
      request: count,
      as: "otherOrg",
      body: { ...range, appIds: ["busy"] },
      status: 422,
    },
    { name: "no JSON", request: count, raw: "{", status: 422 },
    { name: "needs a token", request: aggregate, as: null, status: 401 },
    { name: "an app token may not", request: aggregate, as: "app", status: 403 },
  ],
  () => tokens,
);

/** What a worker does, to the end. */
const work = async (taskId: string) => {
  const context = { repos, log: silent, signal: new AbortController().signal };
  while ((await runUsageOnce(context)).taskId !== null);
  return (await api.request("GET", `/background-task/${taskId}`)).body;
};

test("counts each message once for each endpoint, deleted ones too, of the time that was asked for", async () => {
  const { body } = await api.request("POST", "/stats/usage/app", { body: range });
  expect(body).toMatchObject({ status: "running", task: "application.stats", unresolvedAppIds: [] });
  expect((await api.request("GET", `/background-task/${body.id}`)).body.data).toEqual({});
  const { status, task, data } = await work(body.id);
  expect([status, task]).toEqual(["finished", "application.stats"]);
  expect(data.appStats).toEqual([
    { appId: ids.busy, appUid: "busy", messageDestinations: 2 },
    { appId: ids.quiet, appUid: null, messageDestinations: 0 },
  ]);
});

test("of some applications only, and says which there are not", async () => {
  const body = { ...range, appIds: ["busy", "nope", ids.busy] };
  const made = await api.request("POST", "/stats/usage/app", { body });
  expect(made.body.unresolvedAppIds).toEqual(["nope"]);
  expect((await work(made.body.id)).data.appStats).toHaveLength(1);
});

test("what endpoints ask for", async () => {
  const { body } = await api.request("PUT", "/stats/usage/event-types");
  const { data } = await work(body.id);
  expect(data).toEqual({
    event_types: [
      { appId: ids.busy, explicitlySubscribedEventTypes: ["a", "b"], hasCatchAllEndpoint: false },
      { appId: ids.quiet, explicitlySubscribedEventTypes: [], hasCatchAllEndpoint: true },
    ],
  });
  const list = await api.request("GET", "/background-task?task=event-type.aggregate");
  expect(list.body.data.map((one: { id: string }) => one.id)).toEqual([body.id]);
});

test("goes on where a worker that died left off, and counts nothing twice", async () => {
  const rows = createRows(api.database.sql, "org_many");
  for (let n = 0; n < 45; n += 1) await rows.application({ orgId: "org_many" });
  const token = await orgToken("org_many");
  const { body } = await api.request("POST", "/stats/usage/app", { token, body: range });
  const dead = await repos.backgroundTasks.claimUsage(crypto.randomUUID(), 30);
  expect(dead?.id).toBe(body.id);
  await api.database
    .sql`update background_tasks set leased_until = now() - interval '1 second' where id = ${body.id}`;
  const lease = crypto.randomUUID();
  await repos.backgroundTasks.claimUsage(lease, 30);
  expect(await runUsageBatch({ orgId: "org_many", repos }, body.id, lease)).toEqual({
    applications: 20,
    done: false,
  });
  expect(await runUsageBatch({ orgId: "org_many", repos }, body.id, "another")).toEqual({
    applications: 0,
    done: true,
  });
  await api.database
    .sql`update background_tasks set leased_until = now() - interval '1 second' where id = ${body.id}`;
  await work(body.id);
  const done = await api.request("GET", `/background-task/${body.id}`, { token });
  expect(done.body.status).toBe("finished");
  expect(new Set(done.body.data.appStats.map((one: { appId: string }) => one.appId)).size).toBe(45);
  expect(done.body.data.appStats).toHaveLength(45);
});

test("a task that was canceled ends, with nothing found", async () => {
  const { body } = await api.request("PUT", "/stats/usage/event-types");
  expect((await api.request("POST", `/background-task/${body.id}/cancel`)).body.data).toEqual({
    canceled: true,
  });
  expect((await work(body.id)).status).toBe("failed");
});
