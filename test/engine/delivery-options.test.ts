import { afterAll, beforeAll, expect, test } from "bun:test";
import { newId } from "../../src/lib/ids.ts";
import { readHeaders } from "../../src/services/kept-headers.ts";
import { type Engine, startEngine, testOrg, testSecret } from "../harness/engine.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

let engine: Engine;
const receivers: Receiver[] = [];
beforeAll(async () => {
  // Four attempts unless an endpoint or an event type has it otherwise.
  engine = await startEngine({ env: { RETRY_SCHEDULE: "0.02,0.02,0.02", DELIVERY_TIMEOUT_MS: "30000" } });
});
afterAll(async () => {
  await engine.stop();
  await Promise.all(receivers.map((one) => one.stop()));
});

/** An endpoint of an application of its own, at a receiver that answers so. */
async function place(answer: Receiver["answer"], columns: Record<string, unknown> = {}) {
  const receiver = startReceiver(testSecret);
  receiver.answer = answer;
  receivers.push(receiver);
  const appId = await engine.addApplication();
  const id = await engine.addEndpoint(appId, receiver.url, columns);
  const { sql } = engine.database;
  return {
    id,
    receiver,
    /** How its attempts at a message ended, once the queue holds nothing more of it. */
    async outcomes(eventType = "test.event") {
      // Its breaker would make the next ones wait.
      await sql`delete from endpoint_health where endpoint_id = ${id}`;
      const [messageId] = await engine.send(appId, 1, { eventType });
      await until(async () => (await engine.queued()).every(({ endpoint_id }) => endpoint_id !== id));
      return [
        ...(await sql`select status, response_status_code, response, sent_headers, response_headers from attempts
                      where message_id = ${messageId as string} order by id`),
      ];
    },
    disabled: async () => (await sql`select disabled from endpoints where id = ${id}`)[0]?.disabled === true,
  };
}

async function addEventType(name: string, retrySchedule: number[] | null): Promise<void> {
  const row = { id: newId("evtype_"), org_id: testOrg, name, description: "", retry_schedule: retrySchedule };
  await engine.database.sql`insert into event_types ${engine.database.sql(row)}`;
}

const failing = () => ({ status: 500 });

test("a failure follows the endpoint's schedule, or else the event type's, or else the server's", async () => {
  await addEventType("own.schedule", [0.01]);
  await addEventType("no.schedule", null);
  const [plain, own, none] = await Promise.all([
    place(failing),
    place(failing, { retry_schedule: [0.01, 0.01] }),
    place(failing, { retry_schedule: [] }),
  ]);
  expect(await plain.outcomes()).toHaveLength(4);
  expect(await plain.outcomes("no.schedule")).toHaveLength(4);
  expect(await plain.outcomes("own.schedule")).toHaveLength(2);
  expect(await own.outcomes()).toHaveLength(3);
  expect(await own.outcomes("own.schedule")).toHaveLength(3);
  expect(await none.outcomes("own.schedule")).toHaveLength(1);
}, 30_000);

test("another org's event type of that name has no say", async () => {
  await engine.database.sql`insert into event_types (id, org_id, name, description, retry_schedule)
    values (${newId("evtype_")}, 'org_other', 'test.event', '', '{}')`;
  expect(await (await place(failing)).outcomes()).toHaveLength(4);
}, 30_000);

test("a change of an endpoint's schedule holds at once, one of an event type's within seconds", async () => {
  const { sql } = engine.database;
  const one = await place(failing, { retry_schedule: [] });
  expect(await one.outcomes()).toHaveLength(1);
  await sql`update endpoints set retry_schedule = '{0.01}', revision = revision + 1 where id = ${one.id}`;
  expect(await one.outcomes()).toHaveLength(2);
  await addEventType("changing", []);
  const other = await place(failing);
  await until(async () => (await other.outcomes("changing")).length === 1, 20_000);
  await sql`update event_types set retry_schedule = null where name = 'changing'`;
  await until(async () => (await other.outcomes("changing")).length === 4, 20_000);
}, 60_000);

test("an endpoint's own timeout ends a delivery, and another's stays the server's", async () => {
  const hang = () => new Promise<never>(() => {});
  const one = await place(hang, { delivery_timeout_ms: 150, retry_schedule: [] });
  const [attempt] = await one.outcomes();
  expect(attempt?.response).toStartWith("timed out after 150 ms");
  const slow = await place(() => Bun.sleep(400).then(() => ({ status: 204 })));
  expect(await slow.outcomes()).toMatchObject([{ status: 0 }]);
}, 30_000);

test("webhook-delivery: abort-message ends a message's retries, and no other's", async () => {
  const one = await place(() => ({ status: 500, headers: { "webhook-delivery": " Abort-Message" } }));
  expect(await one.outcomes()).toHaveLength(1);
  expect(await one.disabled()).toBeFalse();
  one.receiver.answer = failing;
  expect(await one.outcomes()).toHaveLength(4);
}, 30_000);

test("webhook-delivery: disable disables, as 410 does; after a success too", async () => {
  for (const status of [503, 204]) {
    const one = await place(() => ({ status, headers: { "Webhook-Delivery": "whatever, DISABLE" } }));
    expect((await one.outcomes()).map((row) => row.response_status_code)).toEqual([status]);
    await until(one.disabled);
  }
}, 30_000);

test("an unknown wish is none, and a success has nothing to abort", async () => {
  const unknown = await place(() => ({ status: 500, headers: { "webhook-delivery": "later" } }));
  expect(await unknown.outcomes()).toHaveLength(4);
  const good = await place(() => ({ status: 200, headers: { "webhook-delivery": "abort-message" } }));
  expect(await good.outcomes()).toMatchObject([{ status: 0 }]);
  expect(await good.disabled()).toBeFalse();
}, 30_000);

test("headers are kept of failures, both ways, without credentials; of successes not", async () => {
  let status = 500;
  const one = await place(() => ({ status, headers: { "x-trace": "t1", "set-cookie": "hush" } }), {
    headers: engine.database.sql.json({ "X-Team": "red", "x-api-key": "hush" }),
    retry_schedule: [],
  });
  const [failed] = await one.outcomes();
  const [received] = one.receiver.received;
  expect(received?.headers.get("x-api-key")).toBe("hush");
  const sent = Object.fromEntries(readHeaders(failed?.sent_headers));
  expect(sent).toMatchObject({ "X-Team": "red", "x-api-key": null, "user-agent": "Posthorn/test" });
  for (const name of ["webhook-id", "webhook-signature", "svix-timestamp", "content-type"]) {
    expect([name, sent[name]]).toEqual([name, received?.headers.get(name) ?? null]);
  }
  const answered = Object.fromEntries(readHeaders(failed?.response_headers));
  expect(answered).toMatchObject({ "x-trace": "t1", "set-cookie": null });
  expect(JSON.stringify(failed)).not.toContain("hush");
  status = 204;
  expect(await one.outcomes()).toMatchObject([{ sent_headers: null, response_headers: null }]);
}, 30_000);

test("of an attempt without an answer, what was to be sent is kept", async () => {
  const one = await place(failing, { retry_schedule: [] });
  await one.receiver.stop();
  const [attempt] = await one.outcomes();
  expect(attempt).toMatchObject({ response_status_code: 0, response_headers: null });
  expect(attempt?.sent_headers).toContain("webhook-signature");
}, 30_000);
