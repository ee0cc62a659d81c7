import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  await rows.endpoint(app.id, { uid: "ep" });
  const other = await rows.application({ uid: "other" });
  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const at = "/app/own/endpoint/ep";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: "GET /background-task", as: null, status: 401 },
    {
      name: "an app token",
      request: "GET /background-task",
      as: "app",
      status: 403,
      code: "insufficient access",
    },
    {
      name: "none yet",
      request: "GET /background-task",
      status: 200,
      shape: "ListResponse_BackgroundTaskOut_",
      has: { data: [], done: true },
    },
    {
      name: "recover",
      request: `POST ${at}/recover`,
      body: { since: ago(60) },
      status: 202,
      shape: "RecoverOut",
      has: { status: "running", task: "endpoint.recover" },
    },
    {
      name: "replay missing, with an app token",
      request: `POST ${at}/replay-missing`,
      as: "app",
      body: { since: ago(60 * 24 * 60), until: null },
      status: 202,
      shape: "RecoverOut",
      has: { status: "running", task: "endpoint.replay" },
    },
    {
      name: "bulk replay",
      request: `POST ${at}/bulk-replay`,
      body: {
        since: ago(60),
        until: ago(30),
        eventTypes: ["a.b"],
        channel: "c",
        status: 2,
        statusCodeClass: 500,
      },
      status: 202,
      has: { task: "endpoint.bulk-replay" },
    },
    {
      name: "bulk replay of everything, fields that nobody knows",
      request: `POST ${at}/bulk-replay`,
      body: { since: ago(60), eventTypes: [], channel: null, status: null, colour: "red" },
      status: 202,
    },
    {
      name: "recover reaches back 14 days",
      request: `POST ${at}/recover`,
      body: { since: ago(15 * 1440) },
      status: 422,
      at: ["body", "since"],
    },
    {
      name: "the wrong way round",
      request: `POST ${at}/recover`,
      body: { since: ago(30), until: ago(60) },
      status: 422,
      at: ["body", "since"],
    },
    { name: "no since", request: `POST ${at}/recover`, body: {}, status: 422, at: ["body", "since"] },
    { name: "no time", request: `POST ${at}/recover`, body: { since: "soon" }, status: 422 },
    {
      name: "a time that is a number",
      request: `POST ${at}/replay-missing`,
      body: { since: 5 },
      status: 422,
    },
    { name: "no body", request: `POST ${at}/bulk-replay`, status: 422 },
    {
      name: "what is pending needs no replay",
      request: `POST ${at}/bulk-replay`,
      body: { since: ago(60), status: 1 },
      status: 422,
      at: ["body", "status"],
    },
    {
      name: "no such class",
      request: `POST ${at}/bulk-replay`,
      body: { since: ago(6), statusCodeClass: 250 },
      status: 422,
    },
    {
      name: "no endpoint",
      request: "POST /app/own/endpoint/none/recover",
      body: { since: ago(60) },
      status: 404,
    },
    {
      name: "another org",
      request: `POST ${at}/recover`,
      as: "otherOrg",
      body: { since: ago(60) },
      status: 404,
    },
    {
      name: "another app",
      request: `POST ${at}/recover`,
      as: "otherApp",
      body: { since: ago(60) },
      status: 404,
    },
    { name: "no token", request: `POST ${at}/recover`, as: null, body: { since: ago(60) }, status: 401 },
    {
      name: "newest first",
      request: "GET /background-task?limit=3",
      status: 200,
      shape: "ListResponse_BackgroundTaskOut_",
      has: {
        data: [
          { task: "endpoint.bulk-replay" },
          { task: "endpoint.bulk-replay" },
          { task: "endpoint.replay" },
        ],
        done: false,
      },
    },
    {
      name: "oldest first, of a kind",
      request: "GET /background-task?order=ascending&task=endpoint.recover&status=running",
      status: 200,
      has: { data: [{ task: "endpoint.recover" }], done: true },
    },
    {
      name: "a kind never made",
      request: "GET /background-task?task=sdk.generate",
      status: 200,
      has: { data: [] },
    },
    { name: "finished", request: "GET /background-task?status=finished", status: 200, has: { data: [] } },
    { name: "no such kind", request: "GET /background-task?task=x", status: 400 },
    { name: "no such status", request: "GET /background-task?status=x", status: 400 },
    { name: "no iterator", request: "GET /background-task?iterator=x", status: 422 },
    {
      name: "another org's list",
      request: "GET /background-task",
      as: "otherOrg",
      status: 200,
      has: { data: [] },
    },
    { name: "no such task", request: "GET /background-task/qtask_1", status: 404, code: "not_found" },
    { name: "cancel no such task", request: "POST /background-task/qtask_1/cancel", status: 404 },
    { name: "an app token's look", request: "GET /background-task/qtask_1", as: "app", status: 403 },
    {
      name: "an app token's cancel",
      request: "POST /background-task/qtask_1/cancel",
      as: "app",
      status: 403,
    },
    { name: "no token", request: "GET /background-task/qtask_1", as: null, status: 401 },
  ],
  () => tokens,
);

test("a task is read and canceled by its org alone, once, and the audit log knows who did", async () => {
  const { body } = await api.request("POST", `${at}/recover`, { body: { since: ago(60) } });
  const path = `/background-task/${body.id}`;
  const foreign = { token: tokens.otherOrg as string };
  expect((await api.request("GET", path, foreign)).status).toBe(404);
  expect((await api.request("POST", `${path}/cancel`, foreign)).status).toBe(404);
  expect((await api.request("GET", path)).body).toMatchObject({
    id: body.id,
    status: "running",
    task: "endpoint.recover",
    data: { scanned: 0, queued: 0 },
  });
  const canceled = await api.request("POST", `${path}/cancel`);
  expect([canceled.status, canceled.body.status, canceled.body.data.canceled]).toEqual([200, "failed", true]);
  expect((await api.request("POST", `${path}/cancel`)).body).toEqual(canceled.body);
  const { body: failed } = await api.request("GET", "/background-task?status=failed");
  expect(failed.data.map(({ id }: { id: string }) => id)).toEqual([body.id]);
  const log = await api.database.sql`select actor, action from audit_log order by id desc limit 2`;
  expect([...log]).toMatchObject([
    { actor: "org-token:org_a", action: "background-task.cancel" },
    { actor: "org-token:org_a", action: "endpoint.recover" },
  ]);
});
