import { afterAll, beforeAll, expect, test } from "bun:test";
import { compileFilter } from "../../src/services/payload-filters.ts";
import { type Engine, startEngine, testSecret } from "../harness/engine.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

let engine: Engine;
const receivers: Receiver[] = [];
const receiver = () => {
  const one = startReceiver(testSecret);
  receivers.push(one);
  return one;
};

beforeAll(async () => {
  engine = await startEngine({ env: { RETRY_SCHEDULE: "0.1,0.1", DELIVERY_TIMEOUT_MS: "500" } });
});
afterAll(async () => {
  await engine.stop();
  await Promise.all(receivers.map((one) => one.stop()));
});

/** The attempts of these messages, once the queue holds nothing more of them. */
async function finished(endpointId: string, ids: string[]) {
  await until(async () => (await engine.queued()).every((row) => row.endpoint_id !== endpointId));
  return (await engine.attempts()).filter((attempt) => ids.includes(attempt.message_id));
}

test("delivers what is accepted: signed, both header families, the payload's bytes as they were", async () => {
  const to = receiver();
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, to.url, {
    headers: engine.database.sql.json({ "x-team": "red" }),
  });
  const payload = '{"b":1.0,"a":12345678901234567890,"2":"é😀\\u0000"}';
  const [id] = await engine.send(app, 1, { payload });
  await to.waitFor(1);
  const [got] = to.received;
  expect(got?.body).toBe(payload);
  expect(got?.headers.get("content-type")).toBe("application/json");
  expect(got?.headers.get("user-agent")).toBe("Posthorn/test");
  expect(got?.headers.get("x-team")).toBe("red");
  for (const name of ["id", "timestamp", "signature"]) {
    expect(got?.headers.get(`webhook-${name}`)).toBe(got?.headers.get(`svix-${name}`) ?? null);
  }
  expect(got?.id).toBe(id as string);
  expect(await finished(endpoint, [id as string])).toMatchObject([{ status: 0, attempt: 1, next_at: null }]);
});

test("payloads that share a commit stay apart, whatever they hold", async () => {
  const app = await engine.addApplication();
  const groups = [
    [""],
    ["", ""],
    ["\u001e", "a\u001eb", "\u001e\u001e"],
    ['{"a":"\\u001e"}', "{}", '{"quoted":"\\"{,}\\\\ NULL"}', "NULL"],
  ];
  const { sql } = engine.database;
  for (const payloads of groups) {
    const ids = await Promise.all(
      payloads.map(async (payload) => (await engine.send(app, 1, { payload, contentType: "text/plain" }))[0]),
    );
    const stored = await sql`select payload from messages where id = any(${ids as string[]}) order by id`;
    expect(stored.map(({ payload }) => payload)).toEqual(payloads);
  }
});

test("retries a failure on schedule, keeps every attempt, and stops when the schedule is used up", async () => {
  const to = receiver();
  to.answer = () => ({ status: 500, body: "broken" });
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, to.url);
  const ids = await engine.send(app);
  await to.waitFor(3);
  const attempts = await finished(endpoint, ids);
  expect(attempts.map((attempt) => [attempt.status, attempt.attempt, attempt.next_at !== null])).toEqual([
    [2, 1, true],
    [2, 2, true],
    [2, 3, false],
  ]);
  expect(attempts[0]?.response).toBe("broken");
  const [first, second] = to.received;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(95);
});

test("a redirect is a failure and is not followed", async () => {
  const target = receiver();
  const to = receiver();
  let calls = 0;
  to.answer = () => (calls++ === 0 ? { status: 302, headers: { location: target.url } } : { status: 200 });
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, to.url);
  const ids = await engine.send(app);
  await to.waitFor(2);
  expect((await finished(endpoint, ids)).map((attempt) => attempt.status)).toEqual([2, 0]);
  expect(target.received).toEqual([]);
});

test("a receiver that hangs is given up after the timeout, with a readable reason", async () => {
  const to = receiver();
  to.answer = () => new Promise(() => {});
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, to.url);
  const attempts = await finished(endpoint, await engine.send(app));
  expect(attempts.map((attempt) => attempt.status)).toEqual([2, 2, 2]);
  expect(attempts[0]?.response).toStartWith("timed out after 500 ms");
});

test("410 disables the endpoint: nothing more goes out, and what waits leaves the queue", async () => {
  const to = receiver();
  to.answer = () => ({ status: 410 });
  const app = await engine.addApplication();
  const endpoint = await engine.addEndpoint(app, to.url);
  const ids = await engine.send(app);
  expect((await finished(endpoint, ids)).map((attempt) => attempt.next_at)).toEqual([null]);
  const { sql } = engine.database;
  await until(async () => (await sql`select disabled from endpoints where id = ${endpoint}`)[0]?.disabled);
  const [again] = await engine.send(app);
  await sql`insert into deliveries ${sql({ message_id: again as string, endpoint_id: endpoint, org_id: "org_engine", app_id: app, due_at: new Date() })}`;
  await until(async () => (await engine.queued()).every((row) => row.endpoint_id !== endpoint));
  expect(to.received).toHaveLength(1);
});

test("only endpoints whose event types and channels fit get a message", async () => {
  const to = receiver();
  const app = await engine.addApplication();
  const path = (name: string) => `${to.url}${name}`;
  await engine.addEndpoint(app, path("all"));
  await engine.addEndpoint(app, path("type"), { event_types: ["a.b"] });
  await engine.addEndpoint(app, path("channel"), { channels: ["red", "blue"] });
  await engine.addEndpoint(app, path("off"), { disabled: true });
  const count = async (appId: string) =>
    (
      await engine.database
        .sql`select e.url from attempts a join endpoints e on e.id = a.endpoint_id where a.app_id = ${appId}`
    ).map((row) => new URL(row.url as string).pathname.slice(1));
  await engine.send(app, 1, { eventType: "a.b", channels: ["blue", "green"] });
  await until(async () => (await count(app)).length === 3);
  expect((await count(app)).sort()).toEqual(["all", "channel", "type"]);
  await engine.send(app, 1, { eventType: "c.d" });
  await until(async () => (await count(app)).length === 4);
  expect((await count(app)).sort()).toEqual(["all", "all", "channel", "type"]);
});

test("only endpoints whose filter lets the payload pass get a message, raw ones none of them", async () => {
  const to = receiver();
  const app = await engine.addApplication();
  const add = (name: string, filter: Record<string, unknown>) =>
    engine.addEndpoint(app, `${to.url}${name}`, { filter_path: compileFilter(filter) });
  await engine.addEndpoint(app, `${to.url}all`);
  await add("large", { path: "data.amount", gte: 100 });
  await add("small", { not: { path: "data.amount", gte: 100 } });
  const sent = [
    { payload: '{"data":{"amount":12345678901234567890}}' },
    { payload: '{"data":{"amount":5}}' },
    { payload: '{"data":"\\u0000"}' },
    { payload: '{"data":{"amount":500}}', contentType: "application/json" },
  ];
  const ids = (await Promise.all(sent.map((row) => engine.send(app, 1, row)))).flat();
  await to.waitFor(7);
  await until(async () => (await engine.queued()).length === 0);
  const rows = await engine.database.sql`
    select a.message_id, e.url from attempts a join endpoints e on e.id = a.endpoint_id where a.app_id = ${app}`;
  const got = ids.map((id) =>
    rows
      .filter((row) => row.message_id === id)
      .map((row) => new URL(row.url as string).pathname.slice(1))
      .sort(),
  );
  expect(got).toEqual([["all", "large"], ["all", "small"], ["all", "small"], ["all"]]);
});
