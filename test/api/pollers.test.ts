import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { idBound } from "../../src/lib/ids.ts";
import { type Api, appToken, type Json, orgToken, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const own = await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  const other = await api.request("POST", "/app", { body: { name: "Other", uid: "other" } });
  tokens.app = await appToken("org_a", own.body.id);
  tokens.otherApp = await appToken("org_a", other.body.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const endpoint = async (app: string, uid: string, more: object = {}) => {
  const answer = await api.request("POST", `/app/${app}/endpoint`, {
    body: { url: `poll:${uid}`, uid, ...more },
  });
  expect([uid, answer.status]).toEqual([uid, 201]);
  return answer.body;
};
const send = async (app: string, body: object): Promise<string> => {
  const message = { eventType: "a.b", payload: {}, ...body };
  const answer = await api.request("POST", `/app/${app}/msg`, { body: message });
  expect(answer.status).toBe(202);
  return answer.body.id;
};
const get = async (path: string, query: Record<string, string> = {}): Promise<Json> => {
  const answer = await api.request("GET", `/app/${path}?${new URLSearchParams(query)}`);
  expect([answer.text, answer.status]).toEqual([answer.text, 200]);
  return answer.body;
};
const ids = ({ data }: Json): string[] => data.map(({ id }: Json) => id);
/** An application with an endpoint `sink` that is polled. */
const application = async (uid: string, more: object = {}): Promise<string> => {
  await api.request("POST", "/app", { body: { name: uid, uid } });
  await endpoint(uid, "sink", more);
  return `${uid}/poller/sink`;
};

describe("an endpoint that is polled", () => {
  const at = "/app/own/endpoint";
  runScenarios(
    () => api,
    [
      {
        name: "is made by its URL",
        request: `POST ${at}`,
        as: "app",
        body: { url: "poll:warehouse", uid: "sink", eventTypes: null },
        status: 201,
        shape: "EndpointOut",
        has: { url: "poll:warehouse" },
      },
      ...["poll:", "poll://host/", "poll:a b", "poll:a/b"].map((url) => ({
        name: `but not by ${url}`,
        request: `POST ${at}` as const,
        body: { url },
        status: 422,
        at: ["body", "url"],
      })),
      {
        name: "stays one that is polled",
        request: `PATCH ${at}/sink`,
        body: { url: "https://example.com" },
        status: 422,
        at: ["body", "url"],
      },
      {
        name: "stays one that is polled",
        request: `PUT ${at}/sink`,
        body: { url: "https://example.com", uid: "sink" },
        status: 422,
        at: ["body", "url"],
      },
      { name: "changes its name", request: `PATCH ${at}/sink`, body: { url: "poll:other" }, status: 200 },
      {
        name: "one that is called",
        request: `PUT ${at}/called`,
        body: { url: "http://127.0.0.1/", uid: "called" },
        status: 201,
      },
      {
        name: "stays one that is called",
        request: `PATCH ${at}/called`,
        body: { url: "poll:x" },
        status: 422,
        at: ["body", "url"],
      },
      {
        name: "is no operational webhook",
        request: "POST /operational-webhook/endpoint",
        body: { url: "poll:x" },
        status: 422,
        at: ["body", "url"],
      },
      {
        name: "is no operational webhook",
        request: "PUT /operational-webhook/endpoint/x",
        body: { url: "poll:x" },
        status: 422,
        at: ["body", "url"],
      },
      ...["recover", "replay-missing", "bulk-replay"].map((verb) => ({
        name: "gets nothing sent",
        request: `POST ${at}/sink/${verb}` as const,
        body: { since: new Date().toISOString() },
        status: 400,
        code: "generic_error",
      })),
      {
        name: "gets no example",
        request: `POST ${at}/sink/send-example`,
        body: { eventType: "svix.ping" },
        status: 400,
        code: "generic_error",
      },
      {
        name: "wants messages",
        request: "POST /app/own/msg/precheck/active",
        body: { eventType: "a.b" },
        status: 200,
        has: { active: true },
      },
    ],
    () => tokens,
  );
});

describe("polling", () => {
  const at = "/app/own/poller/sink";
  runScenarios(
    () => api,
    [
      { name: "needs a token", request: `GET ${at}`, as: null, status: 401 },
      { name: "of this application", request: `GET ${at}`, as: "otherApp", status: 404 },
      { name: "of this org", request: `GET ${at}`, as: "otherOrg", status: 404 },
      { name: "needs an endpoint", request: "GET /app/own/poller/none", status: 404 },
      {
        name: "needs one to poll",
        request: "GET /app/own/poller/called",
        status: 400,
        code: "generic_error",
      },
      {
        name: "finds nothing yet",
        request: `GET ${at}`,
        as: "app",
        status: 200,
        shape: "PollingEndpointOut",
        has: { data: [], done: true },
      },
      { name: "a bad iterator", request: `GET ${at}?iterator=x`, status: 422, at: ["query", "iterator"] },
      { name: "a bad limit", request: `GET ${at}?limit=x`, status: 400 },
      { name: "too large a limit", request: `GET ${at}?limit=251`, status: 422 },
      { name: "a bad channel", request: `GET ${at}?channel=a%20b`, status: 422 },
      { name: "a bad event type", request: `GET ${at}?event_type=a%20b`, status: 422 },
      { name: "a bad time", request: `GET ${at}?after=yesterday`, status: 400 },
      {
        name: "as a consumer",
        request: `GET ${at}/consumer/one`,
        as: "app",
        status: 200,
        shape: "PollingEndpointOut",
        has: { data: [], done: true },
      },
      { name: "a bad iterator", request: `GET ${at}/consumer/one?iterator=x`, status: 422 },
      { name: "as a consumer, of none", request: "GET /app/own/poller/none/consumer/one", status: 404 },
      { name: "a bad name", request: `GET ${at}/consumer/a%20b`, status: 404 },
      {
        name: "a seek",
        request: `POST ${at}/consumer/moved/seek`,
        as: "app",
        body: { after: "2026-01-02T03:04:05Z" },
        status: 200,
        shape: "PollingEndpointConsumerSeekOut",
      },
      { name: "a seek to nowhere", request: `POST ${at}/consumer/moved/seek`, body: {}, status: 422 },
      {
        name: "a seek to no time",
        request: `POST ${at}/consumer/moved/seek`,
        body: { after: "soon" },
        status: 422,
        at: ["body", "after"],
      },
      {
        name: "a seek of none",
        request: "POST /app/own/poller/none/consumer/moved/seek",
        body: { after: "2026-01-02T03:04:05Z" },
        status: 404,
      },
    ],
    () => tokens,
  );
});

test("messages come oldest first, page by page, once, and nothing is queued for them", async () => {
  const path = await application("pages");
  const sent: string[] = [];
  for (let n = 0; n < 7; n += 1) sent.push(await send("pages", { payload: { n } }));
  const first = await get(path, { limit: "3" });
  const second = await get(path, { limit: "3", iterator: first.iterator });
  const third = await get(path, { limit: "3", iterator: second.iterator });
  expect([first, second, third].map(({ done }) => done)).toEqual([false, false, true]);
  expect([first, second, third].flatMap(ids)).toEqual(sent);
  expect(first.data[1].payload).toEqual({ n: 1 });
  const fourth = await get(path, { iterator: third.iterator });
  expect(fourth).toEqual({ data: [], done: true, iterator: third.iterator });
  const late = await send("pages", {});
  expect(ids(await get(path, { iterator: third.iterator }))).toEqual([late]);
  const [row] = await api.database.sql`
    select count(*)::int as count from deliveries d join endpoints e on e.id = d.endpoint_id where e.polled`;
  expect(row?.count).toBe(0);
});

test("an endpoint reads from when it was made, and from before only when asked", async () => {
  await api.request("POST", "/app", { body: { name: "x", uid: "since" } });
  const before = new Date();
  const old = await send("since", {});
  await endpoint("since", "sink");
  const sent = await send("since", {});
  expect(ids(await get("since/poller/sink"))).toEqual([sent]);
  expect(ids(await get("since/poller/sink", { after: before.toISOString() }))).toEqual([old, sent]);
});

test("the endpoint's filters hold as they are now, and those of the request besides", async () => {
  const path = await application("filters", { eventTypes: null });
  const made: Record<string, string> = {};
  const kinds = [
    ["plain", "a.b", null],
    ["red", "a.b", ["red"]],
    ["both", "c.d", ["red", "blue"]],
    ["blue", "c.d", ["blue"]],
  ] as const;
  for (const [name, eventType, channels] of kinds) {
    await api.request("PUT", `/event-type/${eventType}`, { body: { description: "x" } });
    made[name] = await send("filters", { eventType, ...(channels && { channels }) });
  }
  const names = (body: Json) => ids(body).map((id) => Object.keys(made).find((name) => made[name] === id));
  const reads = async (query: Record<string, string> = {}) => names(await get(path, query));
  const set = (body: object) => api.request("PATCH", "/app/filters/endpoint/sink", { body });

  expect(await reads()).toEqual(["plain", "red", "both", "blue"]);
  expect(await reads({ event_type: "a.b" })).toEqual(["plain", "red"]);
  expect(await reads({ channel: "blue" })).toEqual(["both", "blue"]);
  await set({ eventTypes: ["c.d"] });
  expect(await reads()).toEqual(["both", "blue"]);
  expect(await reads({ event_type: "a.b" })).toEqual([]);
  await set({ eventTypes: null, channels: ["red", "green"] });
  expect(await reads()).toEqual(["red", "both"]);
  expect(await reads({ channel: "blue" })).toEqual(["both"]);
  await set({ channels: null });
  expect(await reads()).toHaveLength(4);

  await set({ disabled: true });
  expect((await api.request("GET", `/app/${path}`)).status).toBe(400);
});

test("a filter that lets nothing through still leads on, however much it passes over", async () => {
  const path = await application("rare", { channels: ["rare"] });
  const { sql } = api.database;
  const { body } = await api.request("GET", "/app/rare");
  const after = Date.now() - 60_000;
  const many = Array.from({ length: 5_200 }, (_, n) => idBound("msg_", after + n * 4));
  await sql`insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
            select id, 'org_a', ${body.id}, 'a.b', '{}', now() + interval '1 day' from unnest(${many}::text[]) id`;
  const first = await get(path, { after: new Date(after).toISOString() });
  expect(first).toMatchObject({ data: [], done: false });
  const second = await get(path, { iterator: first.iterator });
  expect(second).toMatchObject({ data: [], done: true });
  expect(await get(path, { iterator: second.iterator })).toEqual(second);
});

test("payloads that are raw or gone", async () => {
  const path = await application("raw");
  const raw = (rawPayload: string, type?: string) => ({
    payload: {},
    transformationsParams: { rawPayload, ...(type && { headers: { "content-type": type } }) },
  });
  await send("raw", raw("<a/>", "application/xml"));
  await send("raw", raw('{"b":1.0}'));
  const gone = await send("raw", { payload: { secret: true } });
  await api.request("DELETE", `/app/raw/msg/${gone}/content`);
  const { data } = await get(path);
  expect(data.map(({ payload, headers }: Json) => [payload, headers])).toEqual([
    [{ rawPayload: "<a/>" }, { "content-type": "application/xml" }],
    [{ b: 1 }, { "content-type": "application/json" }],
    [{ expired: true }, null],
  ]);
});

describe("a consumer", () => {
  test("gets the same again until it gives the iterator back, and its place is kept", async () => {
    const path = `${await application("consumer")}/consumer/one`;
    const sent: string[] = [];
    for (let n = 0; n < 5; n += 1) sent.push(await send("consumer", {}));
    const first = await get(path, { limit: "2" });
    expect(await get(path, { limit: "2" })).toEqual(first);
    const second = await get(path, { limit: "2", iterator: first.iterator });
    expect([...ids(first), ...ids(second)]).toEqual(sent.slice(0, 4));
    // Its process died before it had worked on the second page.
    expect(await get(path, { limit: "2" })).toEqual(second);
    expect(await get(path, { limit: "2", iterator: first.iterator })).toEqual(second);
    const third = await get(path, { iterator: second.iterator });
    expect([ids(third), third.done]).toEqual([sent.slice(4), true]);
    // Another one has a place of its own.
    expect(ids(await get("consumer/poller/sink/consumer/two"))).toEqual(sent);
  });

  test("is told when another reader has moved it on, and can go on from there", async () => {
    const path = `${await application("shared")}/consumer/one`;
    for (let n = 0; n < 3; n += 1) await send("shared", {});
    const first = await get(path, { limit: "1" });
    const second = await get(path, { limit: "1", iterator: first.iterator });
    await get(path, { limit: "1", iterator: second.iterator });
    const behind = await api.request("GET", `/app/${path}?iterator=${first.iterator}`);
    expect([behind.status, behind.body.code]).toEqual([409, "conflict"]);
    expect(ids(await get(path))).toHaveLength(1);
  });

  test("moves back and ahead by a seek, and nobody's older iterator undoes that", async () => {
    const path = `${await application("seek")}/consumer/one`;
    const sent: string[] = [];
    const times: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      sent.push(await send("seek", {}));
      times.push((await get("seek/poller/sink")).data[n].timestamp);
    }
    const all = await get(path);
    await get(path, { iterator: all.iterator });
    const seek = (after: string | undefined) => api.request("POST", `/app/${path}/seek`, { body: { after } });
    const { body } = await seek(times[1]);
    expect((await api.request("GET", `/app/${path}?iterator=${all.iterator}`)).status).toBe(409);
    expect(ids(await get(path))).toEqual(sent.slice(1));
    const back = await get(path, { iterator: body.iterator });
    expect(ids(back)).toEqual(sent.slice(1));
    expect(ids(await get(path, { iterator: back.iterator }))).toEqual([]);
    await seek(new Date(Date.now() + 3_600_000).toISOString());
    expect(await get(path)).toMatchObject({ data: [], done: true });
  });

  test("that was away for longer than messages are kept goes on with the oldest that there is", async () => {
    const path = `${await application("away")}/consumer/one`;
    const { sql } = api.database;
    const app = (await api.request("GET", "/app/away")).body;
    const old = new Date(Date.now() - 200 * 86_400_000);
    await api.request("POST", `/app/${path}/seek`, { body: { after: old.toISOString() } });
    const rows = createRows(sql, "org_a");
    const kept = await rows.message(app.id, { at: new Date(Date.now() - 3_600_000) });
    const sent = await send("away", {});
    expect(ids(await get(path))).toEqual([kept.id, sent]);
  });
});
