import { afterAll, beforeAll, expect } from "bun:test";
import { type Api, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios, type Scenario } from "../harness/scenarios.ts";

const dayMs = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString();
const tomorrow = inDays(1);

let api: Api;
beforeAll(async () => {
  api = await startApi();
  const rows = createRows(api.database.sql, "org_a");
  const app = await rows.application({ uid: "own" });
  await rows.endpoint(app.id, { uid: "ep" });
});
afterAll(() => api.stop());

const send = (given: Record<string, unknown>, what: Omit<Scenario, "request">): Scenario => ({
  request: "POST /app/own/msg",
  body: { eventType: "user.created", payload: {}, ...given },
  ...what,
});

runScenarios(
  () => api,
  [
    send(
      { eventId: "later", deliverAt: tomorrow },
      { name: "tomorrow", status: 202, shape: "MessageOut", has: { deliverAt: tomorrow, tags: null } },
    ),
    {
      name: "it waits, and its payload is kept from then on",
      request: "GET /app/own/endpoint/ep/msg",
      status: 200,
      shape: "ListResponse_EndpointMessageOut_",
      has: { data: [{ eventId: "later", status: 1, nextAttempt: tomorrow, deliverAt: tomorrow }] },
      check: async () => {
        const kept = await api.database.sql`
          select payload_expires_at - deliver_at = interval '90 days' as whole from messages`;
        expect([...kept]).toEqual([{ whole: true }]);
      },
    },
    {
      name: "the message says when",
      request: "GET /app/own/msg/later",
      status: 200,
      shape: "MessageOut",
      has: { deliverAt: tomorrow },
    },
    send({ deliverAt: inDays(30) }, { name: "in 30 days", status: 202, shape: "MessageOut" }),
    send(
      { deliverAt: "2020-01-02T03:04:05+01:00" },
      { name: "a time that has passed", status: 202, has: { deliverAt: "2020-01-02T02:04:05.000Z" } },
    ),
    send({ deliverAt: null }, { name: "null", status: 202, has: { deliverAt: null } }),
    ...[inDays(31), "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "tomorrow", "2026-02-30", "", 5].map(
      (deliverAt) =>
        send({ deliverAt }, { name: `deliverAt ${deliverAt}`, status: 422, at: ["body", "deliverAt"] }),
    ),
    send(
      { eventId: "tagged", tags: ["a", "B/c\\d#1", "NULL"] },
      { name: "tags", status: 202, shape: "MessageOut", has: { tags: ["a", "B/c\\d#1", "NULL"] } },
    ),
    {
      name: "the message has its tags",
      request: "GET /app/own/msg/tagged",
      status: 200,
      has: { tags: ["a", "B/c\\d#1", "NULL"] },
    },
    send({ tags: [] }, { name: "no tags", status: 202, has: { tags: null } }),
    send({ tags: ["1", "2", "3", "4", "5", "6"] }, { name: "six tags", status: 422, at: ["body", "tags"] }),
    send({ tags: ["a", "a"] }, { name: "a tag twice", status: 422, at: ["body", "tags"] }),
    ...["", "a b", "a,b", "ü", "x".repeat(129)].map((tag) =>
      send({ tags: [tag] }, { name: `the tag ${tag}`, status: 422, at: ["body", "tags", "0"] }),
    ),
  ],
);
