/**
 * Keyset pagination as the Svix API has it: `iterator` is the last id of a page and leads forward, `prevIterator` is
 * "-" and the first id and leads back.
 */

export type Ordering = "ascending" | "descending";

/** Which rows to read: those past `after` in the direction `scan`, one more than `limit` to know whether any follow. */
export type PageRequest = {
  limit: number;
  cursor: string | null;
  backward: boolean;
  /** The order of the key in which the database walks. */
  scan: Ordering;
};

export type Page<T> = { data: T[]; done: boolean; iterator: string | null; prevIterator: string | null };

/** What a client asks of a list. */
export type PageQuery = { limit?: number; iterator?: string };
export type OrderedPageQuery = PageQuery & { order?: Ordering };

/** @param order the order in which the list is shown, whichever way it is walked */
export function pageRequest(query: PageQuery, order: Ordering): PageRequest {
  const backward = query.iterator?.startsWith("-") ?? false;
  const cursor = query.iterator ? query.iterator.slice(backward ? 1 : 0) : null;
  const reversed: Ordering = order === "ascending" ? "descending" : "ascending";
  return { limit: query.limit ?? 50, cursor, backward, scan: backward ? reversed : order };
}

/**
 * Makes the page out of the rows as the database walked them (`limit + 1` of them when more follow).
 * @param edge the last key that was looked at, when a filter let too few through and the walk ended before the rows did
 */
export function page<Row, Out>(
  rows: readonly Row[],
  request: PageRequest,
  key: (row: Row) => string,
  out: (row: Row) => Out,
  edge: string | null = null,
): Page<Out> {
  const shown = rows.slice(0, request.limit);
  if (request.backward) shown.reverse();
  const [first, last] = [shown[0], shown[shown.length - 1]];
  const firstKey = first === undefined ? edge : key(first);
  const lastKey = last === undefined ? edge : key(last);
  const iterator = edge !== null && !request.backward ? edge : lastKey;
  const previous = edge !== null && request.backward ? edge : firstKey;
  return {
    data: shown.map(out),
    done: rows.length <= request.limit && edge === null,
    iterator,
    prevIterator: previous === null ? null : `-${previous}`,
  };
}
