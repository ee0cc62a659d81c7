import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { createRepos } from "../../src/repos/index.ts";
import { compileFilter } from "../../src/services/payload-filters.ts";
import { createReplay } from "../../src/services/replays.ts";
import { schedules } from "../../src/tasks/schedules.ts";
import { type Engine, startEngine, testOrg } from "../harness/engine.ts";
import { type Receiver, startReceiver, until } from "../harness/receiver.ts";

let engine: Engine;
let other: Engine;
let receiver: Receiver;
beforeAll(async () => {
  receiver = startReceiver();
  engine = await startEngine();
  other = await startEngine({ database: engine.database });
});
afterAll(async () => {
  await other.stop();
  await engine.stop();
  await receiver.stop();
});

test("what an endpoint missed and its filter lets pass reaches it once, through the workers, when it is replayed", async () => {
  const app = await engine.addApplication();
  const ids = await engine.send(app, 30);
  await engine.send(app, 5, { payload: '{"n":2}' });
  await engine.send(app, 5, { contentType: "application/json" });
  const endpoint = await engine.addEndpoint(app, receiver.url, {
    filter_path: compileFilter({ path: "n", eq: 1 }),
  });
  const client = connect(engine.database.url, { max: 1, prepare: true, applicationName: "posthorn test" });
  const repos = createRepos(client);
  const ctx = { actor: { kind: "org", orgId: testOrg }, orgId: testOrg, repos } as const;
  await createReplay(ctx, {
    endpoint: { id: endpoint, appId: app },
    kind: "endpoint.replay",
    since: new Date(Date.now() - 60_000),
    until: new Date(Date.now() + 1_000),
    only: "missing",
  });
  await until(async () => (await engine.attempts()).length >= ids.length, 30_000);
  const attempts = await engine.attempts();
  expect(attempts.map(({ message_id }) => message_id).toSorted()).toEqual(ids.toSorted());
  expect(attempts.every(({ status }) => status === 0)).toBe(true);
  expect(await engine.queued()).toEqual([]);
  await client.end();
}, 60_000);

test("every schedule has run once, whichever worker it was", async () => {
  const ran = async () => (await engine.database.sql`select name from schedules`).length;
  await until(async () => (await ran()) === schedules.length, 30_000);
}, 60_000);
