import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Ordering, type Page, page, pageRequest } from "../../src/lib/pagination.ts";

type Row = { id: string; wanted: boolean };

/** A table as a repo reads it: `scanMax` rows are looked at, and where that ended is told when it cut the page short. */
function read(
  rows: Row[],
  query: { limit: number; iterator?: string },
  order: Ordering,
  scanMax: number,
): Page<string> {
  const request = pageRequest(query, order);
  const up = request.scan === "ascending";
  const sorted = up
    ? rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    : rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const { cursor } = request;
  const past = sorted.filter(({ id }) => cursor === null || (up ? id > cursor : id < cursor));
  const found = past
    .slice(0, scanMax)
    .filter(({ wanted }) => wanted)
    .slice(0, request.limit + 1);
  const edge = found.length <= request.limit ? (past[scanMax - 1]?.id ?? null) : null;
  return page(
    found,
    request,
    (row) => row.id,
    (row) => row.id,
    edge,
  );
}

function walk(
  next: (iterator: string | undefined) => Page<string>,
  back: boolean,
  from?: string,
): string[][] {
  const pages: string[][] = [];
  for (let iterator = from; ; ) {
    const got = next(iterator);
    pages.push(got.data);
    if (got.done) return pages;
    iterator = (back ? got.prevIterator : got.iterator) ?? undefined;
    if (iterator === undefined || pages.length > 500) throw new Error("the pages lead nowhere");
  }
}

const tables = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 100, max: 999 }), fc.boolean()), {
    selector: ([id]) => id,
    maxLength: 60,
  })
  .map((rows) => rows.map(([id, wanted]): Row => ({ id: String(id), wanted })));

const cases = fc.record({
  rows: tables,
  limit: fc.integer({ min: 1, max: 12 }),
  scanMax: fc.integer({ min: 1, max: 70 }),
  order: fc.constantFrom<Ordering>("ascending", "descending"),
});

const inOrder = (rows: Row[], order: Ordering) => {
  const ids = rows
    .filter(({ wanted }) => wanted)
    .map(({ id }) => id)
    .toSorted();
  return order === "ascending" ? ids : ids.reverse();
};

test("forward, every row that is wanted comes once and in order, whatever the page's size", () => {
  fc.assert(
    fc.property(cases, ({ rows, limit, scanMax, order }) => {
      const pages = walk(
        (iterator) => read(rows, { limit, ...(iterator && { iterator }) }, order, scanMax),
        false,
      );
      expect(pages.flat()).toEqual(inOrder(rows, order));
      for (const data of pages) expect(data.length).toBeLessThanOrEqual(limit);
    }),
    { numRuns: 500 },
  );
});

test("back from anywhere, everything before it comes once, each page in the list's order", () => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 100, max: 999 }), ({ rows, limit, scanMax, order }, at) => {
      const pages = walk(
        (iterator) => read(rows, { limit, iterator: iterator as string }, order, scanMax),
        true,
        `-${at}`,
      );
      const before = inOrder(rows, order).filter((id) =>
        order === "ascending" ? id < String(at) : id > String(at),
      );
      expect(pages.toReversed().flat()).toEqual(before);
    }),
    { numRuns: 500 },
  );
});

test("rows that are added while somebody walks change nothing for those that were there", () => {
  fc.assert(
    fc.property(cases, tables, ({ rows, limit, scanMax, order }, added) => {
      const present = new Set(rows.map(({ id }) => id));
      const later = added.filter(({ id }) => !present.has(id));
      const table = [...rows];
      const pages = walk((iterator) => {
        const got = read(table, { limit, ...(iterator && { iterator }) }, order, scanMax);
        const row = later.pop();
        if (row) table.push(row);
        return got;
      }, false);
      const seen = pages.flat();
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => present.has(id))).toEqual(inOrder(rows, order));
    }),
    { numRuns: 500 },
  );
});
