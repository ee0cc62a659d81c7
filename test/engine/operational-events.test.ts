import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { type Engine, startEngine, testOrg, testSecret } from "../harness/engine.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

let engine: Engine;
let customer: Receiver;
let operator: Receiver;
let appId: string;
type Said = { type: string; data: Record<string, unknown> };
const said = (): Said[] => operator.received.map(({ body }) => JSON.parse(body));

beforeAll(async () => {
  // Six attempts.
  engine = await startEngine({ env: { RETRY_SCHEDULE: "0.02,0.02,0.02,0.02,0.02" } });
  customer = startReceiver(testSecret);
  operator = startReceiver(testSecret);
  appId = await engine.addApplication();
  const { sql } = engine.database;
  const orgId = `operational:${testOrg}`;
  const operational = newId("app_");
  await sql`insert into applications ${sql({ id: operational, org_id: orgId, uid: "operational", name: "x" })}`;
  const endpoint = newId("ep_");
  await sql`insert into endpoints ${sql({ id: endpoint, org_id: orgId, app_id: operational, url: operator.url })}`;
  await sql`insert into endpoint_secrets ${sql({ org_id: orgId, endpoint_id: endpoint, secret: testSecret })}`;
});
afterAll(async () => {
  await engine.stop();
  await customer.stop();
  await operator.stop();
});

test("a message that fails is reported after the fourth time, and again when it is given up", async () => {
  const endpointId = await engine.addEndpoint(appId, customer.url);
  customer.answer = () => ({ status: 500 });
  const [msgId] = await engine.send(appId, 1, { eventId: "evt-1" });
  await operator.waitFor(2, 20_000);
  expect(said().map(({ type }) => type)).toEqual(["message.attempt.failing", "message.attempt.exhausted"]);
  expect(said()[0]?.data).toEqual({
    appId,
    appUid: null,
    endpointId,
    msgId,
    msgEventId: "evt-1",
    lastAttempt: {
      id: expect.stringMatching(/^atmpt_/),
      responseStatusCode: 500,
      timestamp: expect.stringMatching(/Z$/),
    },
  } as never);
  expect(customer.received.length).toBe(6);
  operator.received.length = 0;
}, 30_000);

test("one that arrives after it was reported is reported as recovered, one that arrives sooner is not", async () => {
  let failures = 0;
  customer.answer = ({ id }) => ({ status: id === late && failures++ < 4 ? 500 : 204 });
  const [early] = await engine.send(appId);
  const late = newId("msg_");
  await engine.send(appId, 1, { id: late });
  await operator.waitFor(2, 20_000);
  expect(said().map(({ type, data }) => [type, data.msgId])).toEqual([
    ["message.attempt.failing", late],
    ["message.attempt.recovered", late],
  ]);
  expect(early).not.toBe(late);
  operator.received.length = 0;
}, 30_000);

test("an endpoint that asks to be left alone is reported as disabled", async () => {
  const gone = startReceiver();
  gone.answer = () => ({ status: 410 });
  const other = await engine.addApplication();
  const endpointId = await engine.addEndpoint(other, gone.url);
  await engine.send(other);
  await operator.waitFor(2, 20_000);
  const events = said();
  expect(events.map(({ type }) => type).sort()).toEqual(["endpoint.disabled", "message.attempt.exhausted"]);
  const disabled = events.find(({ type }) => type === "endpoint.disabled");
  expect(disabled?.data).toMatchObject({ appId: other, endpointId, trigger: "automatic" });
  expect(disabled?.data.failSince).toMatch(/Z$/);
  await gone.stop();
}, 30_000);

test("operational messages that fail are reported to nobody", async () => {
  operator.received.length = 0;
  operator.answer = () => ({ status: 500 });
  customer.answer = () => ({ status: 500 });
  await engine.send(appId);
  // Two events, six attempts each.
  await operator.waitFor(12, 20_000);
  await until(async () => (await engine.queued()).length === 0);
  const { sql } = engine.database;
  expect([...(await sql`select from messages where org_id like 'operational:operational:%'`)]).toEqual([]);
}, 40_000);
