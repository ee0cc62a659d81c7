import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Answer, type Api, appToken, orgToken, startApi } from "../harness/api.ts";

let api: Api;
/** The same database, served by another process as far as the API can tell. */
let twin: Api;
beforeAll(async () => {
  api = await startApi();
  twin = await startApi({ database: api.database });
});
afterAll(async () => {
  await twin.stop();
  await api.stop();
});

let made = 0;
const newKey = () => `key-${made++}`;
const create = (key: string, body: unknown, by: Api = api, path = "/app", token?: string): Promise<Answer> =>
  by.request("POST", path, { body, headers: { "idempotency-key": key }, ...(token && { token }) });
const count = async (name: string) => {
  const [row] = await api.database.sql`select count(*)::int as n from applications where name = ${name}`;
  return row?.n;
};

test("a repeat gets the first answer, to the byte, and does nothing", async () => {
  const key = newKey();
  const first = await create(key, { name: "once" });
  const again = await create(key, { name: "once" }, twin);
  expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
  expect(again.headers.get("content-type")).toStartWith("application/json");
  expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
  expect(await count("once")).toBe(1);
});

test("an empty key is none", async () => {
  await api.request("POST", "/app", { body: { name: "none", uid: "none" } });
  const send = () => create("", { eventType: "a", payload: {} }, api, "/app/none/msg");
  const [first, second] = [await send(), await send()];
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(second.text).not.toBe(first.text);
});

test("a key of more than 256 characters is refused by its name, and does nothing", async () => {
  await api.request("POST", "/app", { body: { name: "long", uid: "long" } });
  const message = { eventType: "a", eventId: "long", payload: {} };
  for (const [path, body] of [["/app", { name: "longest" }] as const, ["/app/long/msg", message] as const]) {
    const refused = await create("k".repeat(257), body, api, path);
    expect(refused.status).toBe(422);
    expect(refused.body).toEqual({
      detail: [
        { loc: ["header", "idempotency-key"], msg: "is longer than 256 characters", type: "value_error" },
      ],
    });
    expect((await create("k".repeat(256), body, api, path)).status).toBeOneOf([201, 202]);
  }
  expect(await count("longest")).toBe(1);
});

test("a trailing slash makes no difference", async () => {
  const key = newKey();
  const first = await create(key, { name: "slash" });
  expect((await create(key, { name: "slash" }, api, "/app/")).text).toBe(first.text);
});

test("twins over two processes: one runs, all get its answer", async () => {
  const key = newKey();
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => create(key, { name: "twins" }, n % 2 ? api : twin)),
  );
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(201);
  expect(await count("twins")).toBe(1);
});

test("an answer without a body is kept too", async () => {
  await api.request("POST", "/app", { body: { name: "rotates", uid: "rotates" } });
  await api.request("POST", "/app/rotates/endpoint", { body: { url: "http://127.0.0.1", uid: "ep" } });
  const rotate = (key: string) => create(key, {}, api, "/app/rotates/endpoint/ep/secret/rotate");
  const secret = async () => (await api.request("GET", "/app/rotates/endpoint/ep/secret")).text;
  const key = newKey();
  expect((await rotate(key)).status).toBe(204);
  const after = await secret();
  const again = await rotate(key);
  expect([again.status, again.text, await secret()]).toEqual([204, "", after]);
});

describe("a 409 idempotency_conflict", () => {
  test.each([
    ["another body", "/app", { name: "other" }],
    ["another query", "/app?get_if_exists=true", { name: "conflict" }],
  ])("for %s", async (_, path, body) => {
    const key = newKey();
    await create(key, { name: "conflict" });
    const { status, body: answer, text } = await create(key, body, api, path);
    expect([status, answer.code]).toEqual([409, "idempotency_conflict"]);
    expect(text).not.toContain("app_");
  });
});

describe("another key in all but name", () => {
  test("for another path", async () => {
    const key = newKey();
    await create(key, { name: "path" });
    const eventType = await create(key, { name: "path", description: "" }, api, "/event-type");
    expect([eventType.status, eventType.body.description]).toEqual([201, ""]);
  });

  test("for another tenant, and for another token", async () => {
    const key = newKey();
    const own = await create(key, { name: "tenant", uid: "tenant" });
    const foreign = await create(
      key,
      { name: "tenant", uid: "tenant" },
      api,
      "/app",
      await orgToken("org_b"),
    );
    expect(foreign.status).toBe(201);
    expect(foreign.body.id).not.toBe(own.body.id);
    const app = await appToken("org_a", own.body.id);
    expect((await create(key, { name: "tenant", uid: "tenant" }, api, "/app", app)).status).toBe(403);
  });
});

test("only successes are kept: after a failure the next one runs", async () => {
  const key = newKey();
  expect((await create(key, { name: "free", uid: "taken" })).status).toBe(201);
  const late = newKey();
  expect((await create(late, { name: "late", uid: "taken" })).status).toBe(409);
  await api.request("DELETE", "/app/taken");
  expect((await create(late, { name: "late", uid: "taken" })).status).toBe(201);
});

test("what is not valid is refused before the key is looked at", async () => {
  const key = newKey();
  expect((await create(key, { name: "" })).status).toBe(422);
  expect((await create(key, { name: "valid" })).status).toBe(201);
  expect((await create(key, { name: 1 })).status).toBe(422);
});

test("methods other than POST take no notice", async () => {
  const key = newKey();
  await create(key, { name: "put", uid: "put" });
  for (const name of ["a", "b"]) {
    const headers = { "idempotency-key": key };
    const { body } = await api.request("PUT", "/app/put", { body: { name, uid: "put" }, headers });
    expect(body.name).toBe(name);
  }
});

describe("a key that is held", () => {
  /** As a process leaves it that is at work, or died at it. */
  const hold = (seconds: number) => api.database.sql`
    update idempotency_keys set status = null, response = null,
      locked_until = now() + make_interval(secs => ${seconds})
    where key = (select key from idempotency_keys order by created_at desc limit 1)`;

  test("by a process that died is free once its time is up", async () => {
    const key = newKey();
    await create(key, { name: "crashed" });
    await hold(-1);
    expect((await create(key, { name: "crashed" })).status).toBe(201);
    expect(await count("crashed")).toBe(2);
  });

  test("by one at work makes others wait for it", async () => {
    const key = newKey();
    const first = await create(key, { name: "slow" });
    const [row] = await api.database.sql`
      select key, response, status from idempotency_keys order by created_at desc limit 1`;
    await hold(60);
    const waiting = create(key, { name: "slow" }, twin);
    await api.database.sql`
      update idempotency_keys set status = ${row?.status}, response = ${row?.response} where key = ${row?.key}`;
    expect((await waiting).text).toBe(first.text);
    expect(await count("slow")).toBe(1);
  });

  test("is new again after 12 hours", async () => {
    const key = newKey();
    await create(key, { name: "yesterday" });
    await api.database.sql`
      update idempotency_keys set created_at = now() - interval '12 hours 1 second'
      where key = (select key from idempotency_keys order by created_at desc limit 1)`;
    expect((await create(key, { name: "today" })).status).toBe(201);
  });
});

test("kept answers are sealed like secrets: they may hold a token", async () => {
  const sealing = await startApi({ encryptionKeys: [new Uint8Array(32).fill(7)], database: api.database });
  const app = await sealing.request("POST", "/app", { body: { name: "sealed" } });
  const key = newKey();
  const path = `/auth/app-portal-access/${app.body.id}`;
  const first = await create(key, {}, sealing, path);
  expect(first.body.token).toBeString();
  expect((await create(key, {}, sealing, path)).text).toBe(first.text);
  const [row] = await api.database
    .sql`select response from idempotency_keys order by created_at desc limit 1`;
  expect(row?.response).toStartWith("enc:v1:");
  await sealing.stop();
});
