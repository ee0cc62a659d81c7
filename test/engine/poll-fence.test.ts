import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Sql } from "postgres";
import { connect, engineSettings } from "../../src/database.ts";
import { newId } from "../../src/lib/ids.ts";
import { createIntakeRepo, type IntakeRow } from "../../src/repos/intake.ts";
import { type Api, type Json, startApi } from "../harness/api.ts";

let api: Api;
let engine: Sql;
beforeAll(async () => {
  api = await startApi();
  const { url } = api.database;
  engine = connect(url, { max: 4, prepare: true, applicationName: "slow", settings: engineSettings });
});
afterAll(async () => {
  await engine.end({ timeout: 1 });
  await api.stop();
});

const row = (app: string): IntakeRow => ({
  id: newId("msg_"),
  orgId: "org_a",
  appRef: app,
  eventType: "a.b",
  eventId: null,
  channels: null,
  payload: "{}",
  contentType: null,
  payloadRetentionHours: 24,
  idempotency: null,
});
const application = async (uid: string): Promise<void> => {
  await api.request("POST", "/app", { body: { name: uid, uid } });
  const body = { url: "poll:sink", uid: "sink" };
  expect((await api.request("POST", `/app/${uid}/endpoint`, { body })).status).toBe(201);
};
const poll = async (app: string, iterator?: string): Promise<{ ids: string[]; iterator: string }> => {
  const query = iterator === undefined ? "" : `?iterator=${iterator}`;
  const { body } = await api.request("GET", `/app/${app}/poller/sink${query}`);
  return { ids: body.data.map(({ id }: Json) => id), iterator: body.iterator };
};

test("a message that commits late is waited for, and comes before those with larger ids", async () => {
  await application("late");
  const early = row("late");
  const before = await poll("late");
  const middle = await engine.begin(async (slow) => {
    const [result] = await createIntakeRepo(slow as unknown as Sql).insert([early], null);
    expect(result?.kind).toBe("accepted");
    const later = row("late");
    expect((await createIntakeRepo(engine).insert([later], null))[0]?.kind).toBe("accepted");
    const page = await poll("late", before.iterator);
    expect(page.ids).toEqual([]);
    return { later: later.id, iterator: page.iterator };
  });
  expect((await poll("late", middle.iterator)).ids).toEqual([early.id, middle.later]);
});

test("an id that readers are past is refused, and the message comes under another", async () => {
  await application("overtaken");
  const old = row("overtaken");
  await Bun.sleep(5);
  const { body } = await api.request("POST", "/app/overtaken/msg", {
    body: { eventType: "a.b", payload: {} },
  });
  const page = await poll("overtaken");
  expect(page.ids).toEqual([body.id]);
  const [result] = await createIntakeRepo(engine).insert([old], null);
  expect(result?.kind).toBe("late");
  expect((await poll("overtaken", page.iterator)).ids).toEqual([]);
});
