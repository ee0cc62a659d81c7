import { afterAll, beforeEach, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { newId } from "../../src/lib/ids.ts";
import type { ReplayInput } from "../../src/models/background-tasks.ts";
import { createRepos, type Repos } from "../../src/repos/index.ts";
import type { Context } from "../../src/services/context.ts";
import { createReplay, runReplayBatch } from "../../src/services/replays.ts";
import { runReplaysOnce } from "../../src/tasks/replays.ts";
import { prepareHistory } from "../harness/history.ts";
import { createTestDatabase, silent, type TestDatabase } from "../harness/postgres.ts";
import { createRows, type Rows } from "../harness/rows.ts";

const orgId = "org_a";
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);

const database: TestDatabase = await createTestDatabase();
const client = connect(database.url, { max: 4, prepare: true, applicationName: "posthorn test" });
const repos: Repos = createRepos(client);
const rows: Rows = createRows(database.sql, orgId);
await prepareHistory(database);
afterAll(async () => {
  await client.end({ timeout: 1 });
  await database.drop();
});

const ctx = {
  actor: { kind: "org", orgId },
  orgId,
  requestId: "test",
  repos,
  log: silent,
  signal: new AbortController().signal,
} as unknown as Context;

let appId: string;
let endpoint: { id: string; appId: string };
beforeEach(async () => {
  await database.sql`truncate deliveries, background_tasks`;
  appId = (await rows.application()).id;
  endpoint = { id: (await rows.endpoint(appId)).id, appId };
});

const start = (
  over: Partial<ReplayInput> & {
    since?: string;
    until?: string;
    target?: { id: string; appId: string };
  } = {},
) =>
  createReplay(ctx, {
    endpoint: over.target ?? endpoint,
    kind: "endpoint.bulk-replay",
    since: over.since ? new Date(over.since) : ago(90),
    until: over.until ? new Date(over.until) : new Date(),
    only: over.only ?? "all",
    eventTypes: over.eventTypes ?? null,
    channel: over.channel ?? null,
    tag: over.tag ?? null,
    statusCodeClass: over.statusCodeClass ?? null,
    rate: over.rate ?? null,
  });

const runAll = async (id: string, batchSize = 2) => {
  for (let batches = 0; batches < 1000; batches += 1) {
    if ((await runReplayBatch(ctx, id, { batchSize, lease: null })).done) return;
  }
  throw new Error("the replay doesn't end");
};
const queued = async (endpointId = endpoint.id): Promise<string[]> => {
  const found = await database.sql<{ message_id: string }[]>`
    select message_id from deliveries where endpoint_id = ${endpointId} order by message_id, trigger`;
  return found.map((row) => row.message_id);
};

test("only what was asked for is queued", async () => {
  const bystander = await rows.endpoint(appId);
  const message = (minutes: number, over = {}) => rows.message(appId, { at: ago(minutes), ...over });
  const never = await message(80);
  const failed = await message(70);
  await rows.attempt(appId, failed, endpoint, { at: ago(69), status: 2, responseStatusCode: 503 });
  const recovered = await message(60);
  await rows.attempt(appId, recovered, endpoint, { at: ago(59), status: 2, responseStatusCode: 404 });
  await rows.attempt(appId, recovered, endpoint, { at: ago(58), status: 0 });
  const retrying = await message(50);
  await rows.attempt(appId, retrying, endpoint, { at: ago(49), status: 2, responseStatusCode: 503 });
  await rows.delivery(appId, retrying, endpoint, { dueAt: ago(-60), attempt: 1 });
  const waiting = await message(40);
  await rows.delivery(appId, waiting, endpoint);
  const elsewhere = await message(30);
  await rows.attempt(appId, elsewhere, bystander, { at: ago(29) });
  await message(20, { payload: null });
  await message(10, { payloadExpiresAt: ago(1) });
  await message(95);
  const canceled = await message(25, { tags: ["t1", "t2"] });
  await rows.attempt(appId, canceled, endpoint, { at: ago(24), status: 2, responseStatusCode: 400 });
  await rows.attempt(appId, canceled, endpoint, { at: ago(23), status: 4, responseStatusCode: 0 });
  const pending = [retrying.id, waiting.id];

  const cases: [Partial<ReplayInput>, string[]][] = [
    [{ only: "missing" }, [never.id, elsewhere.id]],
    [{ only: "failed" }, [failed.id]],
    [{ only: "succeeded" }, [recovered.id]],
    [{ only: "all" }, [never.id, failed.id, recovered.id, canceled.id, elsewhere.id]],
    [{ only: "all", tag: "t2" }, [canceled.id]],
    [{ only: "all", tag: "t" }, []],
    [{ only: "all", statusCodeClass: 0 }, []],
    [{ only: "all", statusCodeClass: 500 }, [failed.id]],
    [{ only: "all", statusCodeClass: 400 }, [recovered.id, canceled.id]],
    [{ only: "all", since: ago(65).toISOString(), until: ago(55).toISOString() }, [recovered.id]],
  ];
  for (const [what, expected] of cases) {
    await database.sql`delete from deliveries where not message_id = any(${pending})`;
    const task = await start(what);
    await runAll(task.id);
    expect([what, await queued()]).toEqual([what, [...pending, ...expected].toSorted()]);
    const ended = await repos.backgroundTasks.find(orgId, task.id);
    expect(ended).toMatchObject({ status: "finished", queued: expected.length });
  }
});

test("an endpoint's filters and the request's both hold", async () => {
  const picky = {
    id: (await rows.endpoint(appId, { eventTypes: ["a", "b"], channels: ["x", "y"] })).id,
    appId,
  };
  const want = await rows.message(appId, { at: ago(50), eventType: "a", channels: ["x", "z"] });
  const other = await rows.message(appId, { at: ago(40), eventType: "b", channels: ["y"] });
  await rows.message(appId, { at: ago(30), eventType: "c", channels: ["x"] });
  await rows.message(appId, { at: ago(20), eventType: "a", channels: ["z"] });
  await rows.message(appId, { at: ago(10), eventType: "a" });
  await runAll((await start({ target: picky })).id);
  expect(await queued(picky.id)).toEqual([want.id, other.id]);
  await database.sql`truncate deliveries`;
  await runAll((await start({ target: picky, eventTypes: ["a", "c"] })).id);
  expect(await queued(picky.id)).toEqual([want.id]);
  await database.sql`truncate deliveries`;
  await runAll((await start({ target: picky, channel: "y" })).id);
  expect(await queued(picky.id)).toEqual([other.id]);
});

const many = async (count: number) => {
  const first = ago(80).getTime();
  const ids = Array.from({ length: count }, (_, n) => newId("msg_", first + n * 4));
  await database.sql`insert into messages (id, org_id, app_id, event_type, payload, payload_expires_at)
                     select id, ${orgId}, ${appId}, 'a', '{}', now() + interval '1 day' from unnest(${ids}::text[]) id`;
  return ids;
};

test("bulk deliveries stand behind all others, a millisecond apart or as the rate says", async () => {
  await many(30);
  await runAll((await start()).id, 10);
  const spread = async () => {
    const [row] = await database.sql`
      select min(priority) as priority, min(trigger) as trigger, count(distinct due_at)::int as times,
             extract(epoch from max(due_at) - min(due_at))::float8 as seconds from deliveries`;
    return row;
  };
  expect(await spread()).toMatchObject({ priority: 2, trigger: 0 });
  await database.sql`truncate deliveries`;
  await runAll((await start({ rate: 0.5 })).id, 10);
  expect(await spread()).toMatchObject({ times: 30, seconds: 58 });
});

test("stopped anywhere and gone on with, nothing is queued twice and nothing left out", async () => {
  const ids = await many(101);
  const task = await start();
  // Delivered meanwhile: what has left the queue must not come back.
  const gone: string[] = [];
  for (let done = false; !done; ) {
    if (Math.random() < 0.3) {
      // A batch that dies before its commit leaves no trace.
      await repos
        .tx(async (tx) => {
          const inside = { ...ctx, repos: { ...repos, tx: (work: (t: typeof tx) => unknown) => work(tx) } };
          await runReplayBatch(inside as unknown as Context, task.id, { batchSize: 7, lease: null });
          throw new Error("killed");
        })
        .catch((error: Error) => expect(error.message).toBe("killed"));
    }
    ({ done } = await runReplayBatch(ctx, task.id, { batchSize: 7, lease: null }));
    const taken = await database.sql<{ message_id: string }[]>`delete from deliveries returning message_id`;
    gone.push(...taken.map((row) => row.message_id));
  }
  expect(gone.toSorted()).toEqual(ids);
  expect(await repos.backgroundTasks.find(orgId, task.id)).toMatchObject({
    status: "finished",
    scanned: 101,
    queued: 101,
  });
});

const worker = (over: { signal?: AbortSignal } = {}) =>
  runReplaysOnce({ repos, log: silent, signal: over.signal ?? new AbortController().signal, batchSize: 10 });

test("one worker runs a task; when it dies another goes on once the lease has run out", async () => {
  const ids = await many(25);
  const task = await start();
  const dead = crypto.randomUUID();
  expect((await repos.backgroundTasks.claim(dead, 30))?.id).toBe(task.id);
  await runReplayBatch(ctx, task.id, { batchSize: 10, lease: dead });
  expect(await worker()).toMatchObject({ taskId: null });
  await database.sql`update background_tasks set leased_until = now() - interval '1 second'`;
  expect(await worker()).toMatchObject({ taskId: task.id, scanned: 15, queued: 15, done: true });
  // The dead one was only slow: its next batch does nothing.
  expect(await runReplayBatch(ctx, task.id, { batchSize: 10, lease: dead })).toMatchObject({
    done: true,
    queued: 0,
  });
  expect(await queued()).toEqual(ids);
});

test("several workers at once share the tasks and queue everything once", async () => {
  const ids = await many(200);
  const second = { id: (await rows.endpoint(appId)).id, appId };
  await start();
  await start({ target: second });
  await Promise.all(Array.from({ length: 4 }, () => worker()));
  while ((await worker()).taskId !== null);
  expect(await queued()).toEqual(ids);
  expect(await queued(second.id)).toEqual(ids);
});

test("a stopped worker hands its task back, a canceled task ends, a backfill is left to its script", async () => {
  await many(30);
  const task = await start();
  expect(await worker({ signal: AbortSignal.abort() })).toMatchObject({
    taskId: task.id,
    scanned: 10,
    done: false,
  });
  expect(await repos.backgroundTasks.find(orgId, task.id)).toMatchObject({ lease: null, status: "running" });
  await repos.backgroundTasks.end(orgId, task.id, "canceled");
  expect(await worker()).toMatchObject({ taskId: null });
  expect(await runReplayBatch(ctx, task.id, { batchSize: 10, lease: null })).toMatchObject({
    done: true,
    queued: 0,
  });
  expect((await queued()).length).toBe(10);
  await createReplay(ctx, {
    endpoint,
    kind: "endpoint.backfill",
    since: ago(90),
    until: new Date(),
    only: "all",
  });
  expect(await worker()).toMatchObject({ taskId: null });
});

test("a task for an endpoint that is gone or disabled fails and says why", async () => {
  await many(3);
  const task = await start();
  await database.sql`update endpoints set disabled = true where id = ${endpoint.id}`;
  expect(await worker()).toMatchObject({ taskId: task.id, done: true, queued: 0 });
  expect(await repos.backgroundTasks.find(orgId, task.id)).toMatchObject({
    status: "failed",
    error: "the endpoint is disabled",
  });
});
