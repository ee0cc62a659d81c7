import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk2 from "svix";
import * as sdk1 from "svix-1";
import { newId } from "../../src/lib/ids.ts";
import { type Api, orgToken } from "../harness/api.ts";
import { ago, startAttemptScene } from "../harness/attempt-scene.ts";
import type { Rows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

const ids = { good: newId("atmpt_", Date.now() - 3_480_000), bad: newId("atmpt_", Date.now() - 3_540_000) };

let api: Api;
let rows: Rows;
let tokens: Record<string, string> = {};
beforeAll(async () => {
  ({ api, rows, tokens } = await startAttemptScene(ids));
});
afterAll(() => api.stop());

const codes = (...responseStatusCodes: number[]) => ({
  status: 200 as const,
  has: { data: responseStatusCodes.map((responseStatusCode) => ({ responseStatusCode })), done: true },
});
const byEndpoint = "/app/own/attempt/endpoint/ep";
const byMessage = "/app/own/attempt/msg/m1";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${byEndpoint}`, as: null, status: 401 },
    {
      name: "newest first",
      request: `GET ${byEndpoint}`,
      shape: "ListResponse_MessageAttemptOut_",
      ...codes(0, 404, 200, 500),
      hasNot: ["not for own"],
    },
    { name: "with an app token", request: `GET ${byEndpoint}`, as: "app", status: 200 },
    { name: "another app's token", request: `GET ${byEndpoint}`, as: "otherApp", status: 404 },
    { name: "another org's token", request: `GET ${byEndpoint}`, as: "otherOrg", status: 404 },
    {
      name: "no such endpoint",
      request: "GET /app/own/attempt/endpoint/none",
      status: 404,
      code: "not_found",
    },
    { name: "another application's endpoint", request: "GET /app/own/attempt/endpoint/foreign", status: 404 },
    { name: "failures", request: `GET ${byEndpoint}?status=2`, ...codes(0, 404, 500) },
    { name: "successes", request: `GET ${byEndpoint}?status=0`, ...codes(200) },
    { name: "pending is no attempt", request: `GET ${byEndpoint}?status=1`, ...codes() },
    {
      name: "sending is no attempt",
      request: `GET ${byEndpoint}?status=3&expanded_statuses=true`,
      ...codes(),
    },
    { name: "no response at all", request: `GET ${byEndpoint}?status_code_class=0`, ...codes(0) },
    { name: "4xx", request: `GET ${byEndpoint}?status_code_class=400`, ...codes(404) },
    { name: "failures of 5xx", request: `GET ${byEndpoint}?status_code_class=500&status=2`, ...codes(500) },
    {
      name: "no class",
      request: `GET ${byEndpoint}?status_code_class=250`,
      status: 400,
      code: "generic_error",
    },
    { name: "a class out of range", request: `GET ${byEndpoint}?status_code_class=600`, status: 422 },
    {
      name: "a status out of range",
      request: `GET ${byEndpoint}?status=5`,
      status: 422,
      at: ["query", "status"],
    },
    { name: "a status that is no number", request: `GET ${byEndpoint}?status=fail`, status: 400 },
    { name: "one channel", request: `GET ${byEndpoint}?channel=c1`, ...codes(200, 500) },
    { name: "one event type", request: `GET ${byEndpoint}?event_types[0]=order.paid`, ...codes(404) },
    { name: "a message's iterator", request: `GET ${byEndpoint}?iterator=msg_1`, status: 422 },
    {
      name: "without content",
      request: `GET ${byEndpoint}?with_content=false`,
      status: 200,
      hasNot: ["busy", "refused", "thanks"],
    },
    {
      name: "with their messages",
      request: `GET ${byEndpoint}?with_msg=true&limit=3`,
      status: 200,
      has: { data: [{ msg: { eventId: "m3" } }, { msg: { eventId: "m2" } }, { msg: { eventId: "m1" } }] },
      hasNot: ["theirs"],
      // As it was sent, byte by byte.
      check: ({ text }) => expect(text).toContain('"payload":{"n":1.0}'),
    },
    {
      name: "with their messages, without content",
      request: `GET ${byMessage}?with_msg=true&with_content=false`,
      status: 200,
      has: { data: [{ msg: { payload: {} } }, { msg: { payload: {} } }, { msg: { payload: {} } }] },
      hasNot: ['"n":', "busy", "thanks"],
    },
    { name: "without them", request: `GET ${byEndpoint}?with_msg=false`, status: 200, hasNot: ['"msg"'] },
    { name: "with what?", request: `GET ${byEndpoint}?with_msg=maybe`, status: 400 },
    {
      name: "with their messages, another org",
      request: `GET ${byEndpoint}?with_msg=true`,
      as: "otherOrg",
      status: 404,
    },
    { name: "of a message", request: `GET ${byMessage}`, ...codes(200, 201, 500) },
    { name: "of a message, failures", request: `GET ${byMessage}?status=2`, ...codes(500) },
    { name: "of a message at an endpoint", request: `GET ${byMessage}?endpoint_id=ep2`, ...codes(201) },
    { name: "at an endpoint of another", request: `GET ${byMessage}?endpoint_id=foreign`, status: 404 },
    { name: "of no message", request: "GET /app/own/attempt/msg/none", status: 404 },
    { name: "of another application's", request: "GET /app/own/attempt/msg/theirs", status: 404 },
    { name: "of a message, another org", request: `GET ${byMessage}`, as: "otherOrg", status: 404 },
    { name: "the first SDKs' list", request: "GET /app/own/msg/m1/attempt?endpoint_id=ep2", ...codes(201) },
    {
      name: "the first SDKs' list by endpoint",
      request: "GET /app/own/msg/m1/endpoint/ep/attempt?status=0",
      shape: "ListResponse_MessageAttemptOut_",
      ...codes(200),
    },
    { name: "the same of no message", request: "GET /app/own/msg/none/endpoint/ep/attempt", status: 404 },
    {
      name: "one attempt",
      request: `GET /app/own/msg/m1/attempt/${ids.bad}`,
      status: 200,
      shape: "MessageAttemptOut",
      has: {
        id: ids.bad,
        status: 2,
        statusText: "fail",
        triggerType: 0,
        response: "busy",
        responseDurationMs: 12,
      },
    },
    { name: "under another message", request: `GET /app/own/msg/m2/attempt/${ids.bad}`, status: 404 },
    { name: "no id", request: "GET /app/own/msg/m1/attempt/none", status: 404 },
    {
      name: "of another org",
      request: `GET /app/own/msg/m1/attempt/${ids.bad}`,
      as: "otherOrg",
      status: 404,
    },
    {
      name: "another org deletes nothing",
      request: `DELETE /app/own/msg/m1/attempt/${ids.bad}/content`,
      as: "otherOrg",
      status: 404,
    },
    { name: "of no attempt", request: "DELETE /app/own/msg/m1/attempt/none/content", status: 404 },
    { name: "its content goes", request: `DELETE /app/own/msg/m1/attempt/${ids.bad}/content`, status: 204 },
    {
      name: "and is gone",
      request: `GET /app/own/msg/m1/attempt/${ids.bad}`,
      status: 200,
      has: { response: "EXPUNGED", responseStatusCode: 500 },
      hasNot: ["busy"],
    },
  ],
  () => tokens,
);

test("attempts of months after their message are still its own", async () => {
  const app = await rows.application({ uid: "late" });
  const endpoint = await rows.endpoint(app.id, { uid: "late" });
  const message = await rows.message(app.id, { at: ago(80 * 1440), eventId: "old" });
  await rows.attempt(app.id, message, endpoint, { at: ago(80 * 1440), status: 2 });
  await rows.attempt(app.id, message, endpoint, { at: ago(1), trigger: 1 });
  const { body } = await api.request("GET", "/app/late/attempt/msg/old");
  expect(body.data.map(({ triggerType }: { triggerType: number }) => triggerType)).toEqual([1, 0]);
  expect((await api.request("GET", "/app/late/endpoint/late/msg")).body.data).toMatchObject([{ status: 0 }]);
});

test.each([
  ["svix 2.5.0", sdk2.Svix],
  ["svix 1.99.1", sdk1.Svix],
])("%s: attempts with their messages", async (_, Svix) => {
  const { messageAttempt } = new Svix(await orgToken("org_a"), { serverUrl: api.url });
  const { data } = await messageAttempt.listByEndpoint("own", "ep", { withMsg: true, withContent: true });
  expect(data.find(({ id }) => id === ids.bad)?.msg).toMatchObject({ eventId: "m1", payload: { n: 1 } });
});
