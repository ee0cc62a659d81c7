import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Api, type Json, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";

// Rules of paging that hold for any page size, each list of few rows; pagination.test.ts has those of many.
let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
const seed = 20_260_103;

const post = async (path: string, body: object): Promise<Json> => {
  const answer = await api.request("POST", path, { body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
  return answer.body;
};

describe("a short list, with any page size, forward and back, ascending or not, shows every row once", () => {
  const count = 23;
  const lists: { path: string; key: string; orders: string[]; add: (n: number) => Promise<unknown> }[] = [
    {
      path: "/app",
      key: "id",
      orders: ["ascending", "descending"],
      add: (n) => post("/app", { name: `a${n}` }),
    },
    {
      path: "/app/paged/endpoint",
      key: "id",
      orders: ["descending", "ascending"],
      add: (n) => post("/app/paged/endpoint", { url: `http://127.0.0.1/${n}` }),
    },
    {
      path: "/event-type",
      key: "name",
      orders: ["ascending"],
      add: (n) => post("/event-type", { name: `type.${String(n).padStart(3, "0")}`, description: "" }),
    },
    {
      path: "/operational-webhook/endpoint",
      key: "id",
      orders: ["descending", "ascending"],
      add: (n) => post("/operational-webhook/endpoint", { url: `http://127.0.0.1/${n}` }),
    },
    {
      path: "/auth/api-key",
      key: "id",
      orders: ["descending", "ascending"],
      add: (n) => post("/auth/api-key", { name: `k${n}` }),
    },
  ];
  beforeAll(async () => {
    await post("/app", { name: "paged", uid: "paged" });
    for (const { add } of lists) for (let n = 0; n < count; n += 1) await add(n);
  });

  test.each(lists)("$path", async ({ path, key, orders, add }) => {
    const get = async (query: string): Promise<Json> => {
      const { status, body, text } = await api.request("GET", `${path}?${query}`);
      if (status !== 200) throw new Error(text);
      return body;
    };
    const keys = (body: Json): string[] => body.data.map((row: Json) => row[key]);
    const all = keys(await get(`limit=250&order=${orders[0]}`));
    expect(all.length).toBeGreaterThanOrEqual(count);
    expect(all).toEqual(orders[0] === "ascending" ? all.toSorted() : all.toSorted().reverse());

    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.constantFrom(...orders), async (limit, order) => {
        const expected = order === orders[0] ? all : all.toReversed();
        const pages: string[][] = [];
        let body: Json = null;
        do {
          body = await get(`limit=${limit}&order=${order}${body ? `&iterator=${body.iterator}` : ""}`);
          pages.push(keys(body));
        } while (!body.done);
        expect(pages.flat()).toEqual(expected);
        expect(pages.slice(0, -1).every((page) => page.length === limit)).toBe(true);
        // And back to the first, from the last.
        const back: string[][] = [keys(body)];
        for (let turn = 1; turn < pages.length; turn += 1) {
          body = await get(`limit=${limit}&order=${order}&iterator=${body.prevIterator}`);
          back.unshift(keys(body));
        }
        expect(back.flat()).toEqual(expected);
      }),
      { seed, numRuns: 8 },
    );

    // What is made meanwhile moves nobody's place.
    const first = await get(`limit=5&order=${orders[0]}`);
    for (let n = 0; n < 3; n += 1) await add(100 + n);
    const second = await get(`limit=5&order=${orders[0]}&iterator=${first.iterator}`);
    expect([...keys(first), ...keys(second)]).toEqual(all.slice(0, 10));
  });
});

test("a message's endpoints come once each, page by page, whatever the page's size", async () => {
  const rows = createRows(api.database.sql, "org_a");
  const app = await rows.application();
  const message = await rows.message(app.id);
  const expected: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    const endpoint = await rows.endpoint(app.id);
    expected.push(endpoint.id);
    for (let tried = 0; tried <= n % 3; tried += 1) await rows.attempt(app.id, message, endpoint);
  }
  for (const limit of [1, 2, 5, 11, 12, 13]) {
    const seen: string[] = [];
    let query = `limit=${limit}`;
    for (let done = false; !done; ) {
      const { body } = await api.request("GET", `/app/${app.id}/msg/${message.id}/endpoint?${query}`);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      ({ done } = body);
      query = `limit=${limit}&iterator=${body.iterator}`;
    }
    expect([limit, seen]).toEqual([limit, expected.toSorted()]);
  }
});
