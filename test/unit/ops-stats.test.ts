import { afterAll, expect, test } from "bun:test";
import { bytesText, secondsText, tableText } from "../../src/lib/operator/table.ts";
import type { QueueStats } from "../../src/services/queue-stats.ts";
import { prepareHistory } from "../harness/history.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { createRows } from "../harness/rows.ts";

const database = await createTestDatabase();
const { sql } = database;
const rows = createRows(sql, "org_a");
await prepareHistory(database);
afterAll(() => database.drop());

const stats = (...args: string[]) => opsOn(database).run("stats", ...args);
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);
const read = async (...args: string[]): Promise<QueueStats> => {
  const { code, err, out } = await stats("--json", ...args);
  expect([code, err]).toEqual([0, ""]);
  return JSON.parse(out) as QueueStats;
};

test("of an installation where nothing happens it says so", async () => {
  const { queue, applications, endpoints, workers, rates, tables } = await read();
  expect(queue).toMatchObject({ queued: 0, due: 0, oldestDueSeconds: null });
  expect({ applications, endpoints, workers }).toEqual({ applications: [], endpoints: [], workers: [] });
  expect(rates).toEqual({ minutes: 5, messages: 0, attempts: 0, failures: 0 });
  expect(tables.find(({ name }) => name === "messages")?.rows).toBe(0);
  const { out, code } = await stats();
  expect([code, out]).toEqual([0, expect.stringContaining("Queue     0 due; 0 being sent; 0 later")]);
});

test("the queue in all, by application and endpoint; breakers; workers; rates; sizes", async () => {
  const [busy, calm] = [await rows.application({ uid: "busy\u001b[2J" }), await rows.application()];
  const [open, fine, off] = [
    await rows.endpoint(busy.id, { uid: "open" }),
    await rows.endpoint(busy.id),
    await rows.endpoint(calm.id, { disabled: true }),
  ];
  const queue: [string, { id: string }, Parameters<typeof rows.delivery>[3]][] = [
    [busy.id, open, { dueAt: ago(600), attempt: 3 }],
    [busy.id, open, { dueAt: ago(60) }],
    [busy.id, fine, { dueAt: ago(-600), lease: crypto.randomUUID() }],
    [busy.id, fine, { dueAt: ago(-600), attempt: 1 }],
    [calm.id, off, { dueAt: ago(30), priority: 2 }],
    [calm.id, off, { dueAt: ago(30), lease: crypto.randomUUID() }],
  ];
  for (const [appId, endpoint, over] of queue) {
    const message = await rows.message(appId);
    await rows.delivery(appId, message, endpoint, over);
    await rows.attempt(appId, message, endpoint, over?.attempt === 3 ? { status: 2 } : {});
  }
  await rows.message(calm.id, { at: ago(3600) });
  // As though it had failed since: its breaker is open.
  await sql`insert into endpoint_health (endpoint_id, org_id, failing_since, consecutive_failures, open_until)
            values (${open.id}, 'org_a', now(), 9, now() + interval '1 hour')`;
  await sql`insert into workers (id, seen_at) values ('here', now()), ('lost', now() - interval '1 hour')`;
  const rowsOf = ({ tables }: QueueStats, table: string) => tables.find(({ name }) => name === table)?.rows;
  // Until PostgreSQL has looked, nobody knows how many they are.
  const before = await read();
  expect([rowsOf(before, "messages"), rowsOf(before, "endpoints")]).toEqual([null, null]);
  await sql`analyze`;

  const found = await read("--minutes", "10");
  expect(found.queue).toMatchObject({ queued: 6, due: 3, sending: 2, retries: 2, bulk: 1, abandoned: 1 });
  expect(found.queue.oldestDueSeconds).toBeGreaterThanOrEqual(600);
  expect(found.applications).toMatchObject([
    { appId: busy.id, orgId: "org_a", queued: 4, due: 2, sending: 1 },
    { appId: calm.id, queued: 2, due: 1, abandoned: 1 },
  ]);
  expect(found.endpoints).toMatchObject([
    { endpointId: open.id, endpointUid: "open", appId: busy.id, due: 2, breaker: "open", disabled: false },
    { endpointId: off.id, due: 1, breaker: "closed", disabled: true },
    { endpointId: fine.id, due: 0, queued: 2, oldestDueSeconds: null },
  ]);
  expect(found.breakers).toEqual({ failing: 1, open: 1 });
  expect(found.workers.map(({ id, alive }) => [id, alive])).toEqual([
    ["here", expect.anything()],
    ["lost", false],
  ]);
  expect(found.rates).toEqual({ minutes: 10, messages: 6 / 600, attempts: 6 / 600, failures: 1 / 600 });
  expect([rowsOf(found, "messages"), rowsOf(found, "endpoints")]).toEqual([7, 3]);
  const messages = found.tables.find(({ name }) => name === "messages");
  expect(messages?.partitions.length).toBeGreaterThan(10);
  expect((await read("--top", "1")).endpoints).toHaveLength(1);

  const { out } = await stats();
  for (const text of [open.id, "open", "disabled", "busy\ufffd[2J", "1 endpoints fail"]) {
    expect(out).toContain(text);
  }
  expect(out).not.toContain("\u001b");
}, 60_000);

test("attempts of a message from before the week began count by when they were made", async () => {
  const app = await rows.application();
  const endpoint = await rows.endpoint(app.id);
  const old = await rows.message(app.id, { at: ago(20 * 86_400) });
  const before = (await read()).rates;
  await rows.attempt(app.id, old, endpoint, { status: 2 });
  await rows.attempt(app.id, old, endpoint, { at: ago(7200) });
  const { rates } = await read();
  expect(rates.attempts - before.attempts).toBeCloseTo(1 / 300);
  expect(rates.messages).toBe(before.messages);
});

test.each([
  [["--top", "0"], "--top is a whole number"],
  [["--minutes", "x"], "--minutes is a whole number"],
])("stats %j exits 2", async (args, message) => {
  expect(await stats(...args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});

test("columns are as wide as they must be, numbers at their right", () => {
  expect(
    tableText(
      ["name", "rows"],
      [
        ["a", 1234.5],
        ["longer", null],
      ],
    ),
  ).toBe("name       rows\na       1,234.5\nlonger        -");
  expect([0, 999, 1500, 2.03e7].map(bytesText)).toEqual(["0 B", "999 B", "1.5 kB", "20.3 MB"]);
  expect([0.44, 12.4, 89, 90, 7200, 200_000].map(secondsText)).toEqual([
    "0.4 s",
    "12 s",
    "89 s",
    "2 min",
    "2 h",
    "2 d",
  ]);
});
