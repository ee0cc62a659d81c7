import { afterAll, beforeAll, expect, test } from "bun:test";
import { idBound, newId } from "../../src/lib/ids.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { prepareHistory } from "../harness/history.ts";
import { createRows, type Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

const payload = '{"b":1,"n":12345678901234567890,"one":1.0,"a":{"ключ":"\\u00e9 🦊"},"b2":[ 1, 2 ]}';
const tricky = newId("msg_", Date.now() - 60_000);
const minutes = (count: number) => new Date(Date.now() - count * 60_000);

let api: Api;
let rows: Rows;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  await prepareHistory(api.database);
  rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  const other = await rows.application({ uid: "other" });
  await rows.message(app.id, { id: tricky, eventId: "tricky", payload, eventType: "user.created" });
  await rows.message(app.id, {
    at: minutes(10),
    eventId: "b",
    eventType: "user.deleted",
    channels: ["c1", "c2"],
    tags: ["t1", "x"],
  });
  await rows.message(app.id, {
    at: minutes(20),
    eventId: "c",
    eventType: "order.paid",
    channels: ["c2"],
    tags: ["t1"],
  });
  await rows.message(app.id, { at: minutes(30), eventId: "gone", payload: null });
  await rows.message(app.id, { at: minutes(40), eventId: "past", payloadExpiresAt: minutes(1) });
  await rows.message(app.id, { at: minutes(60 * 24 * 95), eventId: "ancient" });
  await rows.message(other.id, { eventId: "foreign", eventType: "foreign.type" });
  tokens.app = await appToken("org_a", app.id);
  tokens.otherApp = await appToken("org_a", other.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(() => api.stop());

const eventIds = (body: { data: { eventId: string }[] }) => body.data.map(({ eventId }) => eventId);
const lists = (...ids: string[]) => ({ has: { data: ids.map((eventId) => ({ eventId })), done: true } });

runScenarios(
  () => api,
  [
    { name: "needs a token", request: "GET /app/own/msg", as: null, status: 401 },
    {
      name: "newest first, not past 90 days, not another application's",
      request: "GET /app/own/msg",
      status: 200,
      shape: "ListResponse_MessageOut_",
      ...lists("tricky", "b", "c", "gone", "past"),
      hasNot: ["foreign", "ancient"],
      check: ({ text }) => expect(text).toContain(`"payload":${payload},`),
    },
    { name: "with an app token", request: "GET /app/own/msg", as: "app", status: 200 },
    {
      name: "another app's token",
      request: "GET /app/own/msg",
      as: "otherApp",
      status: 404,
      code: "not_found",
    },
    { name: "another org's token", request: "GET /app/own/msg", as: "otherOrg", status: 404 },
    { name: "no such application", request: "GET /app/nowhere/msg", status: 404 },
    {
      name: "without content",
      request: "GET /app/own/msg?with_content=false&limit=2",
      status: 200,
      has: { data: [{ payload: {} }, { payload: {} }], done: false },
      hasNot: ["12345678901234567890"],
    },
    { name: "one channel", request: "GET /app/own/msg?channel=c2", status: 200, ...lists("b", "c") },
    { name: "a channel of nothing", request: "GET /app/own/msg?channel=c9", status: 200, ...lists() },
    { name: "one tag", request: "GET /app/own/msg?tag=t1", status: 200, ...lists("b", "c") },
    { name: "a tag of nothing", request: "GET /app/own/msg?tag=t", status: 200, ...lists() },
    { name: "no tag", request: "GET /app/own/msg?tag=a%20b", status: 422, at: ["query", "tag"] },
    {
      name: "event types with a comma",
      request: "GET /app/own/msg?event_types=order.paid,user.deleted",
      status: 200,
      ...lists("b", "c"),
    },
    {
      name: "event types with brackets",
      request: "GET /app/own/msg?event_types[]=order.paid&event_types[]=user.deleted",
      status: 200,
      ...lists("b", "c"),
    },
    {
      name: "event types with indexes, escaped",
      request: "GET /app/own/msg?event_types%5B0%5D=order.paid&event_types%5B1%5D=user.deleted",
      status: 200,
      ...lists("b", "c"),
    },
    {
      name: "event types, repeated",
      request: "GET /app/own/msg?event_types=order.paid&event_types=user.deleted",
      status: 200,
      ...lists("b", "c"),
    },
    { name: "an empty list of types is none", request: "GET /app/own/msg?event_types=", status: 200 },
    {
      name: "a type that is no name",
      request: "GET /app/own/msg?event_types=a%20b",
      status: 422,
      at: ["query", "event_types"],
    },
    {
      name: "all filters",
      request: "GET /app/own/msg?event_types=user.deleted,order.paid&channel=c1&tag=x&expanded_statuses=true",
      status: 200,
      ...lists("b"),
    },
    {
      name: "a time that is none",
      request: "GET /app/own/msg?before=yesterday",
      status: 400,
      code: "generic_error",
    },
    { name: "a month that is none", request: "GET /app/own/msg?after=2026-13-01T00:00:00Z", status: 400 },
    {
      name: "Rust's way to write a time",
      request: "GET /app/own/msg?after=2026-01-02 03:04:05.678 UTC&limit=1",
      status: 200,
    },
    { name: "a limit that is no number", request: "GET /app/own/msg?limit=x", status: 400 },
    {
      name: "a limit out of range",
      request: "GET /app/own/msg?limit=251",
      status: 422,
      at: ["query", "limit"],
    },
    { name: "another kind's iterator", request: "GET /app/own/msg?iterator=ep_1", status: 422 },
    {
      name: "by its id, byte by byte",
      request: `GET /app/own/msg/${tricky}`,
      status: 200,
      shape: "MessageOut",
      check: ({ text }) => expect(text).toContain(`"payload":${payload},`),
    },
    { name: "by its eventId", request: "GET /app/own/msg/tricky", status: 200, has: { id: tricky } },
    {
      name: "without content",
      request: "GET /app/own/msg/tricky?with_content=false",
      status: 200,
      has: { payload: {} },
      hasNot: ["12345678901234567890"],
    },
    { name: "expunged", request: "GET /app/own/msg/gone", status: 200, has: { payload: { expired: true } } },
    { name: "expired", request: "GET /app/own/msg/past", status: 200, has: { payload: { expired: true } } },
    { name: "no such message", request: "GET /app/own/msg/nothing", status: 404, code: "not_found" },
    { name: "another application's", request: "GET /app/own/msg/foreign", status: 404 },
    { name: "another org's token", request: `GET /app/own/msg/${tricky}`, as: "otherOrg", status: 404 },
    {
      name: "another org's token deletes nothing",
      request: `DELETE /app/own/msg/${tricky}/content`,
      as: "otherOrg",
      status: 404,
    },
    {
      name: "by another application's path deletes nothing",
      request: `DELETE /app/other/msg/${tricky}/content`,
      status: 404,
    },
    { name: "still there", request: `GET /app/own/msg/${tricky}`, status: 200, hasNot: ["expired"] },
    { name: "its content goes", request: "DELETE /app/own/msg/tricky/content", status: 204 },
    {
      name: "and is gone",
      request: `GET /app/own/msg/${tricky}`,
      status: 200,
      has: { payload: { expired: true } },
      hasNot: ["12345678901234567890"],
    },
    { name: "twice does no harm", request: "DELETE /app/own/msg/tricky/content", status: 204 },
    { name: "of no message", request: "DELETE /app/own/msg/nothing/content", status: 404 },
  ],
  () => tokens,
);

test("before is exclusive, after inclusive, at a message's own time", async () => {
  const { body } = await api.request("GET", "/app/own/msg/b");
  const time = encodeURIComponent(body.timestamp);
  const ids = async (query: string) => eventIds((await api.request("GET", `/app/own/msg?${query}`)).body);
  expect(await ids(`before=${time}`)).toEqual(["c", "gone", "past"]);
  expect(await ids(`after=${time}`)).toEqual(["tricky", "b"]);
  const spaced = body.timestamp.replace("T", " ").replace("Z", " UTC");
  expect(await ids(`before=${encodeURIComponent(spaced)}`)).toEqual(["c", "gone", "past"]);
});

test("after alone starts at the oldest and leads to the newer ones, still shown newest first", async () => {
  const after = encodeURIComponent(minutes(35).toISOString());
  const first = (await api.request("GET", `/app/own/msg?after=${after}&limit=2`)).body;
  expect([eventIds(first), first.done]).toEqual([["c", "gone"], false]);
  const next = (
    await api.request("GET", `/app/own/msg?after=${after}&limit=2&iterator=${first.prevIterator}`)
  ).body;
  expect([eventIds(next), next.done]).toEqual([["tricky", "b"], true]);
});

test("a rare filter ends a page early and says so; going on finds everything", async () => {
  const app = await rows.application({ uid: "large" });
  const token = await orgToken("org_a");
  const count = 12_000;
  const start = Date.now() - 3_600_000;
  const ids = Array.from({ length: count }, (_, n) => newId("msg_", start + n * 4));
  await api.database.sql`
    insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
    select id, 'org_a', ${app.id}, case when n in (1, 2, 9000) then 'rare' else 'common' end, '{}', now() + interval '1 day'
    from unnest(${ids}::text[]) with ordinality t(id, n)`;
  for (const back of [false, true]) {
    const found: string[] = [];
    let [iterator, pages, done] = ["", 0, false];
    while (!done) {
      const { body } = await api.request("GET", `/app/large/msg?event_types=rare&limit=50${iterator}`, {
        token,
      });
      found.push(...body.data.map(({ id }: { id: string }) => id));
      done = body.done;
      const next = back ? body.prevIterator : body.iterator;
      // Backwards starts at the very oldest.
      iterator = `&iterator=${next}`;
      pages += 1;
      if (back && pages === 1) {
        found.length = 0;
        iterator = `&iterator=-${idBound("msg_", start - 1000)}`;
        done = false;
      }
      if (pages > 10) throw new Error("the pages don't end");
    }
    expect(found.toSorted()).toEqual([ids[0], ids[1], ids[8999]].toSorted() as string[]);
    expect(pages).toBeGreaterThan(2);
  }
});

const create = "POST /app/own/msg" as const;
const both = { payloadRetentionHours: 5, payloadRetentionPeriod: 5 };
const message = (over: object) => ({ eventType: "kept", payload: {}, ...over });
const hoursKept = async (over: object): Promise<number> => {
  const { body } = await api.request("POST", "/app/own/msg", { body: message(over) });
  const [row] = await api.database.sql`
    select extract(epoch from payload_expires_at - now()) / 3600 as hours from messages where id = ${body.id}`;
  return Math.round(Number(row?.hours) * 10) / 10;
};

runScenarios(
  () => api,
  [
    {
      name: "kept for no hours",
      request: create,
      body: message({ payloadRetentionHours: 0 }),
      status: 422,
      at: ["body", "payloadRetentionHours"],
    },
    { name: "too many", request: create, body: message({ payloadRetentionHours: 2161 }), status: 422 },
    { name: "half", request: create, body: message({ payloadRetentionHours: 1.5 }), status: 422 },
    {
      name: "hours and days",
      request: create,
      body: message(both),
      status: 422,
      at: ["body", "payloadRetentionHours"],
    },
    {
      name: "null is absent",
      request: create,
      body: message({ ...both, payloadRetentionHours: null }),
      status: 202,
    },
  ],
  () => tokens,
);

test("a payload is kept for as many hours or days as the message says", async () => {
  expect(await hoursKept({ payloadRetentionHours: 1 })).toBe(1);
  expect(await hoursKept({ payloadRetentionHours: 2160 })).toBe(2160);
  expect(await hoursKept({ payloadRetentionPeriod: 5 })).toBe(120);
  expect(await hoursKept({})).toBe(2160);
});
