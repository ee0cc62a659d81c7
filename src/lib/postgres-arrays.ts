/**
 * PostgreSQL's array literals (https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO), for the types that we use.
 *
 * postgres.js can learn array types from the server, but then every new connection starts with a query that nobody
 * waits for: cut at that moment, it ends in an unhandled rejection. It also escapes more slowly.
 */

type Element = string | number | boolean | null;

/** Oids of the array types: PostgreSQL's pg_type.dat. */
const arrayOids = { text: 1009, varchar: 1015, uuid: 2951, timestamptz: 1185 } as const;
const numberArrayOids = { int2: 1005, int4: 1007, float8: 1022 } as const;

const needsQuotes = /[{}",\\\s]|^$|^null$/i;

/** `["a b", null]` → `{"a b",NULL}`. A string is taken for a literal already. */
export function writeArray(value: readonly Element[] | string): string {
  if (typeof value === "string") return value;
  let text = "{";
  for (let index = 0; index < value.length; index += 1) {
    if (index > 0) text += ",";
    const element = value[index];
    if (element === null || element === undefined) text += "NULL";
    else if (typeof element !== "string") text += element;
    else if (needsQuotes.test(element)) text += `"${element.replace(/["\\]/g, "\\$&")}"`;
    else text += element;
  }
  return `${text}}`;
}

/** `{"a b",NULL}` → `["a b", null]`. One dimension, as all of ours have. */
export function readArray(literal: string): (string | null)[] {
  const elements: (string | null)[] = [];
  let at = 1;
  while (at < literal.length - 1) {
    if (literal[at] === '"') {
      let text = "";
      for (at += 1; literal[at] !== '"'; at += 1) {
        if (literal[at] === "\\") at += 1;
        text += literal[at];
      }
      elements.push(text);
      at += 1;
    } else {
      const end = literal.indexOf(",", at);
      const text = literal.slice(at, end === -1 ? literal.length - 1 : end);
      elements.push(text === "NULL" ? null : text);
      at += text.length;
    }
    at += 1;
  }
  return elements;
}

/** What `unnest` takes for a column: null where no row has anything, since it fills up what is shorter. */
export function columnOf<T, E extends Element>(rows: readonly T[], of: (row: T) => E): E[] | null {
  const values = rows.map(of);
  return values.some((value) => value !== null) ? values : null;
}

const readNumbers = (literal: string) =>
  readArray(literal).map((text) => (text === null ? null : Number(text)));

const typesOf = (oids: Record<string, number>, parse: (literal: string) => unknown) =>
  Object.fromEntries(
    Object.entries(oids).map(([name, oid]) => [
      `${name}Array`,
      { to: oid, from: [oid], serialize: writeArray, parse },
    ]),
  );

/** For postgres.js's `types`, with its `fetch_types` off. */
export const arrayTypes = { ...typesOf(arrayOids, readArray), ...typesOf(numberArrayOids, readNumbers) };
