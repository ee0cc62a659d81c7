import { afterAll, expect, test } from "bun:test";
import { startEngine } from "../harness/engine.ts";
import { type Answer, startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

test("a worker that waits for its last answers counts as alive: nobody takes over what it is sending", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const receiver = startReceiver();
  stops.push(() => receiver.stop());
  const answer = Promise.withResolvers<Answer>();
  receiver.answer = () => answer.promise;
  const app = await engine.addApplication();
  await engine.addEndpoint(app, receiver.url);
  await engine.send(app);
  await receiver.waitFor(1);

  const { sql } = engine.database;
  const seenAt = async () => (await sql`select seen_at from workers`)[0]?.seen_at as Date | undefined;
  await until(async () => (await seenAt()) !== undefined);
  const stopped = engine.worker?.stop(AbortSignal.timeout(30_000));
  const signalledAt = await seenAt();
  await until(async () => Number(await seenAt()) > Number(signalledAt));

  answer.resolve({ status: 204 });
  await stopped;
  expect(await seenAt()).toBeUndefined();
  expect(await engine.queued()).toEqual([]);
  expect(await engine.attempts()).toMatchObject([{ status: 0 }]);
}, 30_000);
