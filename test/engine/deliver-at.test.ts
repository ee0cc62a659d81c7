import { afterAll, expect, test } from "bun:test";
import { startEngine } from "../harness/engine.ts";
import { startReceiver, until } from "../harness/receiver.ts";

const stops: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

test("a message goes out at its deliverAt and not before, while others pass it", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const arrivedAt = new Map<string, number>();
  to.answer = ({ id }) => {
    arrivedAt.set(id, Date.now());
    return { status: 204 };
  };
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url);
  const tomorrow = new Date(Date.now() + 86_400_000);
  const soon = new Date(Date.now() + 1_500);
  const [far = ""] = await engine.send(app, 1, { deliverAt: tomorrow });
  const [near = ""] = await engine.send(app, 1, { deliverAt: soon });
  const others = [...(await engine.send(app, 5)), ...(await engine.send(app, 1, { deliverAt: new Date(0) }))];
  await until(() => [...others, near].every((id) => to.delivered.has(id)));
  expect(arrivedAt.get(near)).toBeGreaterThanOrEqual(soon.getTime());
  expect(arrivedAt.has(far)).toBe(false);
  await until(async () => (await engine.queued()).length === 1);
  expect(await engine.queued()).toMatchObject([{ due_at: tomorrow, lease: null, attempt: 0 }]);
}, 30_000);

test("a throttled and a FIFO endpoint keep to it too", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const early: string[] = [];
  const deliverAt = new Date(Date.now() + 1_500);
  to.answer = ({ id }) => {
    if (Date.now() < deliverAt.getTime()) early.push(id);
    return { status: 204 };
  };
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url, { fifo: true });
  await engine.addEndpoint(app, to.url, { throttle_rate: 100 });
  await engine.send(app, 2, { deliverAt });
  await to.waitFor(4);
  expect(early).toEqual([]);
}, 30_000);

test("in a FIFO endpoint's line nobody waits for it, and it arrives all the same", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url, { fifo: true });
  const waits = await engine.send(app, 1, { deliverAt: new Date(Date.now() + 1_500) });
  const line = [...(await engine.send(app)), ...(await engine.send(app))];
  await to.waitFor(3);
  expect(to.received.map(({ id }) => id)).toEqual([...line, ...waits]);
  await until(async () => (await engine.queued()).length === 0);
}, 30_000);

test("channels and tags that PostgreSQL has a word for come through as they are", async () => {
  const engine = await startEngine();
  stops.push(() => engine.stop());
  const to = startReceiver();
  stops.push(() => to.stop());
  const app = await engine.addApplication();
  await engine.addEndpoint(app, to.url, { channels: ["null"] });
  const tags = ["NULL", "a\\b", "#1"];
  await engine.send(app, 1, { channels: ["null"], tags });
  await until(async () => (await engine.attempts()).length === 1);
  const { sql } = engine.database;
  expect([...(await sql`select channels, tags from messages`)]).toEqual([{ channels: ["null"], tags }]);
  expect([...(await sql`select channels, tags from attempts`)]).toEqual([{ channels: ["null"], tags }]);
}, 30_000);
