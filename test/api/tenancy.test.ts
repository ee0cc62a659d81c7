import { afterAll, beforeAll, expect, test } from "bun:test";
import { notImplementedPaths } from "../../src/routes/not-implemented.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";

let api: Api;
/** What stands for each parameter of a path: our ids, and our uids. */
const byId: Record<string, string> = { event_type_name: "user.signup" };
const byUid: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const app = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  await api.request("PUT", "/event-type/user.signup", { body: { description: "ours" } });
  const endpoint = { url: "http://127.0.0.1/ours", uid: "one" };
  const { body } = await api.request("POST", "/app/own/endpoint", { body: endpoint });
  const message = await api.request("POST", "/app/own/msg", {
    body: { eventType: "user.signup", eventId: "event-1", payload: { whose: "ours" } },
  });
  const recover = { since: new Date().toISOString() };
  const task = await api.request("POST", "/app/own/endpoint/one/recover", { body: recover });
  const attempt = await createRows(api.database.sql, "org_a").attempt(app.body.id, message.body, body, {
    response: "ours",
  });
  Object.assign(byId, { app_id: app.body.id, endpoint_id: body.id, msg_id: message.body.id });
  Object.assign(byId, { attempt_id: attempt.id, task_id: task.body.id });
  const key = await api.request("POST", "/auth/api-key", { body: { name: "ours" } });
  Object.assign(byId, { key_id: key.body.id });
  const integration = await api.request("POST", "/app/own/integration", { body: { name: "ours" } });
  Object.assign(byId, { integ_id: integration.body.id });
  const polled = await api.request("POST", "/app/own/endpoint", {
    body: { url: "poll:ours", uid: "polled" },
  });
  Object.assign(byId, { sink_id: polled.body.id, consumer_id: "ours" });
  const listener = { url: "http://127.0.0.1/ours", uid: "listener" };
  const operational = await api.request("POST", "/operational-webhook/endpoint", { body: listener });
  Object.assign(byId, { operational_endpoint_id: operational.body.id });
  Object.assign(
    byUid,
    byId,
    { operational_endpoint_id: "listener" },
    { app_id: "own", endpoint_id: "one", sink_id: "polled", msg_id: "event-1" },
  );
});
afterAll(() => api.stop());

/** A body that each route would take, so that it is the token and nothing else that stops the request. */
const bodies: Record<string, object> = {
  "POST /app": { name: "theirs" },
  "POST /auth/api-key": { name: "theirs" },
  "POST /app/:app_id/integration": { name: "theirs" },
  "PUT /app/:app_id/integration/:integ_id": { name: "theirs" },
  "POST /environment/import": { eventTypes: [{ name: "user.signup", description: "theirs" }] },
  "POST /stats/usage/app": { since: new Date(0).toISOString(), until: new Date().toISOString() },
  "POST /operational-webhook/endpoint": { url: "http://127.0.0.1/theirs" },
  "PUT /operational-webhook/endpoint/:endpoint_id": { url: "http://127.0.0.1/theirs" },
  "PUT /operational-webhook/endpoint/:endpoint_id/headers": { headers: { theirs: "1" } },
  "PUT /app/:app_id": { name: "theirs" },
  "POST /event-type": { name: "user.signup", description: "theirs" },
  "PUT /event-type/:event_type_name": { description: "theirs" },
  "PUT /event-type/:event_type_name/retry-schedule": { retrySchedule: [] },
  "POST /app/:app_id/endpoint": { url: "http://127.0.0.1/theirs" },
  "PUT /app/:app_id/endpoint/:endpoint_id": { url: "http://127.0.0.1/theirs" },
  "PUT /app/:app_id/endpoint/:endpoint_id/headers": { headers: { theirs: "1" } },
  "PATCH /app/:app_id/endpoint/:endpoint_id/headers": { headers: { theirs: "1" } },
  "POST /app/:app_id/poller/:sink_id/consumer/:consumer_id/seek": { after: new Date().toISOString() },
  "POST /app/:app_id/msg": { eventType: "user.signup", payload: {} },
  "POST /app/:app_id/msg/precheck/active": { eventType: "user.signup" },
  "POST /app/:app_id/msg/bulk-expunge": { ids: ["event-1"] },
  "POST /event-type/import/openapi": {
    spec: { webhooks: { "user.signup": { post: { description: "theirs" } } } },
    replaceAll: true,
  },
  "POST /app/:app_id/endpoint/:endpoint_id/send-example": { eventType: "user.signup" },
  "POST /app/:app_id/endpoint/:endpoint_id/recover": { since: new Date().toISOString() },
  "POST /app/:app_id/endpoint/:endpoint_id/replay-missing": { since: new Date().toISOString() },
  "POST /app/:app_id/endpoint/:endpoint_id/bulk-replay": { since: new Date().toISOString() },
};

type Route = { method: string; path: string; at: string };
/** As the app has them, so that none can be forgotten. */
const routes = (): Route[] => [...routesTo(byId), ...routesTo(byUid)];
const routesTo = (ids: Record<string, string>): Route[] =>
  api.app.routes
    .filter(({ path }) => path.startsWith("/api/v1/") && !path.includes("/health"))
    .filter(({ path }) => !notImplementedPaths.includes(path))
    .map(({ method, path }) => {
      const short = path.slice("/api/v1".length);
      const at = short.replace(/:(\w+)/g, (_, name: string) => {
        const id = ids[short.startsWith("/operational") ? `operational_${name}` : name];
        if (id === undefined) throw new Error(`this test has no ${name} for ${path}`);
        return id;
      });
      return { method, path: short, at };
    });

const tables = [
  "applications",
  "endpoints",
  "endpoint_secrets",
  "event_types",
  "messages",
  "deliveries",
  "attempts",
  "background_tasks",
  "api_keys",
  "integrations",
  "poller_tokens",
  "session_ends",
];
const ours = async () => {
  const rows = tables.map(
    (table) =>
      api.database
        .sql`select t::text from ${api.database.sql(table)} t where org_id in ('org_a', 'operational:org_a') order by 1`,
  );
  return JSON.stringify(await Promise.all(rows));
};
/** With a token of its own each time: one of the routes ends it. */
const call = async ({ method, path, at }: Route, mint: (() => Promise<string>) | null) => {
  const token = mint === null ? null : await mint();
  const body = method === "GET" || method === "DELETE" ? undefined : (bodies[`${method} ${path}`] ?? {});
  return api.request(method, at, { token, body });
};

test("without a token every route answers 401 and nothing changes", async () => {
  const before = await ours();
  for (const route of routes()) expect([route, (await call(route, null)).status]).toEqual([route, 401]);
  expect(await ours()).toBe(before);
});

test("a token of another org sees nothing of ours and changes nothing", async () => {
  const token = () => orgToken("org_b");
  const before = await ours();
  for (const route of routes()) {
    const { status, text } = await call(route, token);
    // What makes something makes it in the other org.
    const own = !route.path.includes(":") || route.method === "PUT" ? [200, 201, 202, 204] : [];
    const expected = /app_id.*endpoint_id|msg_id|key_id|integ_id/.test(route.path) ? [404] : [404, ...own];
    expect([route, status, expected]).toEqual([route, expected.includes(status) ? status : -1, expected]);
    expect(text).not.toContain("ours");
    // The next route meets an org that has nothing again.
    await api.database.sql`delete from applications where org_id = 'org_b'`;
    await api.database.sql`delete from event_types where org_id = 'org_b'`;
    await api.database.sql`update endpoints set deleted_at = now() where org_id = 'operational:org_b'`;
  }
  expect(await ours()).toBe(before);
});

test("a token of another application gets 403 or 404 and changes nothing", async () => {
  const other = await api.request("POST", "/app", { body: { name: "Other" } });
  const token = () => appToken("org_a", other.body.id);
  const before = await ours();
  for (const route of routes()) {
    const { status, text } = await call(route, token);
    // Event types are the org's: its applications' owners choose among them.
    const open =
      route.path === "/auth/logout" || `${route.method} ${route.path}`.startsWith("GET /event-type");
    expect([route, status]).toEqual([route, open || status === 403 || status === 404 ? status : -1]);
    if (!open) expect(text).not.toContain("ours");
  }
  expect(await ours()).toBe(before);
});

test("a token of an application that is not this org's gets nothing either", async () => {
  const own = await api.request("GET", "/app/own");
  const token = await appToken("org_b", own.body.id);
  expect((await api.request("GET", "/app/own", { token })).status).toBe(404);
  const path = `/app/${own.body.id}/endpoint/${byId.endpoint_id}`;
  expect((await api.request("GET", path, { token })).status).toBe(404);
});

test("every input is open to fields that we don't know", () => {
  const closed = api.app.routes.flatMap(({ method, path, hooks }) =>
    (["body", "query"] as const)
      .filter((part) => hooks[part] && hooks[part].additionalProperties !== true)
      .map((part) => `${part} of ${method} ${path} is no Input`),
  );
  expect(closed).toEqual([]);
});
