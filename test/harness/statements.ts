import postgres, { type Sql } from "postgres";
import { postgresOptions } from "../../src/lib/embedded-postgres/index.ts";

export type Statement = { by: string; query: string; parameters: unknown[] };
export type Node = {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Cond"?: string;
  "Join Filter"?: string;
  Filter?: string;
  "Plan Rows": number;
  Plans?: Node[];
};

/** A client that keeps every statement that goes through it while `by` names somebody. */
export function recordingClient(url: string, settings: Record<string, string> = {}) {
  const statements: Statement[] = [];
  const at = { by: null as string | null };
  const sql = postgres({
    ...postgresOptions(url),
    max: 1,
    onnotice: () => {},
    connection: { application_name: "posthorn explain", ...settings },
    debug: (_connection, query, parameters) => {
      if (at.by !== null) statements.push({ by: at.by, query, parameters: [...parameters] });
    },
  });
  return { sql, at, statements };
}

const explainable = /^\s*(select|insert|update|delete|with)\b/i;

/** The plan of a statement, as PostgreSQL would run it for these parameters; null for what has none. */
export async function planOf(sql: Sql, { query, parameters }: Statement): Promise<Node | null> {
  if (!explainable.test(query)) return null;
  const [row] = await sql.unsafe(`explain (format json) ${query}`, parameters as never[], { prepare: true });
  return row?.["QUERY PLAN"][0].Plan;
}

export function* nodes(plan: Node): Generator<Node> {
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodes(child);
}
