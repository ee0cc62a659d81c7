import { afterAll, expect, test } from "bun:test";
import { orgToken, startApi } from "../harness/api.ts";
import { startEngine, testOrg } from "../harness/engine.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function start(env: Record<string, string>) {
  const engine = await startEngine({ env });
  stops.push(() => engine.stop());
  const api = await startApi({ database: engine.database });
  stops.push(() => api.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const token = await orgToken(testOrg);
  const app = await engine.addApplication();
  const cancel = async (id: string) =>
    (await api.request("POST", `/app/${app}/msg/${id}/cancel`, { token, body: {} })).body;
  return { engine, api, to, token, app, cancel };
}

test("canceled under way, it is not tried again; what comes of it stands in the history", async () => {
  const { engine, api, to, token, app, cancel } = await start({ RETRY_SCHEDULE: "0.01,0.01" });
  const endpoint = await engine.addEndpoint(app, to.url);
  const { promise: canceled, resolve: letGo } = Promise.withResolvers<void>();
  let fails = "";
  to.answer = async ({ id }) => {
    await canceled;
    return { status: id === fails ? 500 : 204 };
  };
  const [bad = "", good = ""] = await engine.send(app, 2);
  fails = bad;
  await to.waitFor(2);
  for (const id of [bad, good]) expect(await cancel(id)).toEqual({ canceled: 1, sending: 1 });
  letGo();
  await until(async () => (await engine.attempts()).length === 4);
  expect(await engine.queued()).toEqual([]);
  expect(to.received.length).toBe(2);
  const { body } = await api.request("GET", `/app/${app}/endpoint/${endpoint}/msg`, { token });
  const states = new Map(body.data.map(({ id, status }: { id: string; status: number }) => [id, status]));
  expect(states).toEqual(
    new Map([
      [bad, 4],
      [good, 0],
    ]),
  );
}, 30_000);

test("canceled while workers claim, retry and finish, each message ends as arrived or as canceled", async () => {
  const { engine, to, app, cancel } = await start({ RETRY_SCHEDULE: Array(50).fill("0.02").join(",") });
  for (let n = 0; n < 3; n += 1) await engine.addEndpoint(app, to.url);
  let turn = 0;
  to.answer = () => {
    turn += 1;
    return { status: turn % 3 === 0 ? 204 : 500 };
  };
  const ids = await engine.send(app, 60);
  const canceled = await Promise.all(ids.map(cancel));
  await until(async () => (await engine.queued()).length === 0);
  const attempts = await engine.attempts();
  const ended = (status: number) => attempts.filter((one) => one.status === status).length;
  const gone = canceled.reduce((sum, one) => sum + one.canceled, 0);
  expect(ended(4)).toBe(gone);
  expect(ended(0) + ended(4)).toBeGreaterThanOrEqual(180);
}, 60_000);
