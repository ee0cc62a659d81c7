import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { newId } from "../../src/lib/ids.ts";
import { type Api, startApi } from "../harness/api.ts";
import { prepareHistory } from "../harness/history.ts";
import { createRows, type Rows } from "../harness/rows.ts";

const count = 40;
const hourMs = 3_600_000;

let api: Api;
let rows: Rows;
let app: { id: string };
let endpoint: { id: string };
const messages: string[] = [];
const attempts: string[] = [];
beforeAll(async () => {
  api = await startApi();
  await prepareHistory(api.database);
  rows = createRows(api.database.sql, "org_a");
  app = await rows.application({ uid: "own" });
  endpoint = await rows.endpoint(app.id, { uid: "ep" });
  for (let n = 0; n < count; n += 1) {
    // Weeks apart: the pages lead through partitions.
    const at = new Date(Date.now() - (count - n) * 48 * hourMs);
    const message = await rows.message(app.id, { id: newId("msg_", at.getTime()) });
    const attempt = await rows.attempt(app.id, message, endpoint, { at });
    messages.unshift(message.id);
    attempts.unshift(attempt.id);
  }
});
afterAll(() => api.stop());

type Body = { data: { id: string }[]; done: boolean; iterator: string; prevIterator: string };
const get = async (path: string, query: string): Promise<Body> => {
  const { status, body } = await api.request("GET", `${path}?${query}`);
  expect(status).toBe(200);
  return body;
};

const lists: [string, () => string[]][] = [
  ["/app/own/msg", () => messages],
  ["/app/own/attempt/endpoint/ep", () => attempts],
  ["/app/own/endpoint/ep/msg", () => messages],
];

describe.each(lists)("%s", (path, expected) => {
  test("with any page size, forward and back, every row comes once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.nat(count), async (limit, turnAt) => {
        const seen: string[] = [];
        let body = await get(path, `limit=${limit}`);
        seen.push(...body.data.map(({ id }) => id));
        while (!body.done && seen.length < turnAt) {
          body = await get(path, `limit=${limit}&iterator=${body.iterator}`);
          seen.push(...body.data.map(({ id }) => id));
        }
        expect(seen).toEqual(expected().slice(0, seen.length));
        expect(body.done).toBe(seen.length === count);
        const before: string[] = [];
        let left = seen.length - body.data.length;
        while (left > 0) {
          body = await get(path, `limit=${limit}&iterator=${body.prevIterator}`);
          before.unshift(...body.data.map(({ id }) => id));
          left -= body.data.length;
          expect(body.done).toBe(left === 0);
        }
        expect(before).toEqual(expected().slice(0, before.length));
      }),
      { numRuns: 12 },
    );
  });

  test("new rows don't disturb who walks back in time", async () => {
    const seen: string[] = [];
    let body = await get(path, "limit=7");
    for (;;) {
      seen.push(...body.data.map(({ id }) => id));
      if (body.done) break;
      const message = await rows.message(app.id);
      await rows.attempt(app.id, message, endpoint);
      body = await get(path, `limit=7&iterator=${body.iterator}`);
    }
    expect(seen.slice(-expected().length)).toEqual(expected());
    expect(new Set(seen).size).toBe(seen.length);
    await api.database.sql`delete from attempts where id > ${attempts[0] as string}`;
    await api.database.sql`delete from messages where id > ${messages[0] as string}`;
  });
});
