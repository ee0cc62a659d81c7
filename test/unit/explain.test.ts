import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { engineSettings } from "../../src/database.ts";
import { createRepos } from "../../src/repos/index.ts";
import { scanRowsMax } from "../../src/repos/scans.ts";
import { engineCalls, engineRepos } from "../harness/engine-calls.ts";
import { fillTables } from "../harness/filled-tables.ts";
import { createTestDatabase } from "../harness/postgres.ts";
import { repoCalls } from "../harness/repo-calls.ts";
import { type Node, nodes, planOf, recordingClient, type Statement } from "../harness/statements.ts";

/** Tables that grow with use: nothing may read one from end to end. */
const growing =
  /^(messages|attempts|attempt_counts)(_\d{8})?$|^(deliveries|idempotency_keys|message_event_ids|endpoints|applications|api_keys|revoked_tokens|session_ends|turns)$/;

/** Statements that may, and why. */
const exempt: Record<string, string> = {
  "inspection.queue": "reads the queue once, when an operator asks",
  "inspection.overdue": "the same",
  "retention.countPayloads": "reads the weeks that an operator is about to expunge",
  "deliveries.releaseLeases": "reads the queue once, after a worker's death",
};

const database = await createTestDatabase();
const filled = await fillTables(database);
const api = recordingClient(database.url);
const engine = recordingClient(database.url, engineSettings);
const empty = await createTestDatabase();
const unfilled = recordingClient(empty.url, engineSettings);
afterAll(async () => {
  await Promise.all([api, engine, unfilled].map(({ sql }) => sql.end({ timeout: 1 })));
  await Promise.all([database.drop(), empty.drop()]);
});

const isOwnList = (node: Node): boolean => node["Node Type"] === "CTE Scan";

type Repo = Record<string, (...args: never[]) => unknown>;

/** Calls every method of every repo, each undone at once, and keeps the statements. */
async function record(
  client: typeof api,
  repos: Record<string, unknown>,
  calls: Record<string, Record<string, (repo: never) => unknown>>,
): Promise<Statement[]> {
  for (const [name, repo] of Object.entries(repos)) {
    for (const method of Object.keys(repo as Repo)) {
      const call = calls[name]?.[method];
      if (!call) throw new Error(`this test doesn't call ${name}.${method}`);
      const plain = ["detach", "finishDetach"].includes(method);
      if (!plain) await client.sql.unsafe("begin");
      client.at.by = `${name}.${method}`;
      try {
        await call(repo as never);
      } finally {
        client.at.by = null;
        if (!plain) await client.sql.unsafe("rollback");
      }
    }
  }
  return client.statements;
}

const { tx: _, ...bundle } = createRepos(api.sql);
const statements = [
  ...(await record(api, bundle, repoCalls(filled) as never)).map((statement) => ({
    statement,
    sql: api.sql,
  })),
  ...(await record(engine, engineRepos(engine.sql), engineCalls(filled) as never)).map((statement) => ({
    statement,
    sql: engine.sql,
  })),
];

test("every repo that there is takes part", async () => {
  const folder = join(import.meta.dir, "../../src/repos");
  const made: string[] = [];
  for (const file of readdirSync(folder)) {
    const exports = await import(join(folder, file));
    made.push(...Object.keys(exports).filter((name) => /^create\w+Repo$/.test(name)));
  }
  const known = [...Object.keys(bundle), ...Object.keys(engineRepos(engine.sql))].map(
    (name) => `create${name[0]?.toUpperCase()}${name.slice(1)}Repo`,
  );
  expect(known.toSorted()).toEqual(made.toSorted());
});

describe("no statement reads a table that grows from end to end", () => {
  const methods = Map.groupBy(statements, ({ statement }) => statement.by);
  for (const [by, issued] of methods) {
    test(by, async () => {
      for (const { statement, sql } of issued) {
        const plan = await planOf(sql, statement);
        if (plan === null) continue;
        const scans = [...nodes(plan)].filter(
          (node) => node["Node Type"] === "Seq Scan" && growing.test(node["Relation Name"] ?? ""),
        );
        if (by in exempt) expect([by, scans.length > 0]).toEqual([by, true]);
        else expect([statement.query, scans]).toEqual([statement.query, []]);
      }
    });
  }
});

/** So seldom that they are planned anew nearly each time. */
const seldom = ["outcomes.disableEndpoint", "outcomes.disableIfFailing"];

describe("a plan that was made while all tables were empty is good for the day after", () => {
  const issued = statements.filter(
    ({ sql, statement }) => sql === engine.sql && !(statement.by in exempt) && !seldom.includes(statement.by),
  );
  for (const [by, of] of Map.groupBy(issued, ({ statement }) => statement.by)) {
    test(by, async () => {
      for (const { statement } of of) {
        const plan = await planOf(unfilled.sql, statement);
        if (plan === null) continue;
        const all = [...nodes(plan)];
        // An index that is read from end to end, all of an endpoint's deliveries for one of them, and a list of the statement's own that is read for each row of another.
        const slow = all.filter(
          (node) =>
            (growing.test(node["Relation Name"] ?? "") &&
              /Scan$/.test(node["Node Type"]) &&
              !node["Index Cond"]) ||
            (node["Relation Name"] === "deliveries" && /message_id/.test(node.Filter ?? "")) ||
            (node["Join Filter"] !== undefined && node.Plans?.every(isOwnList)),
        );
        expect([statement.query, slow]).toEqual([statement.query, []]);
      }
    });
  }
});

test("what is looked up by its id looks into the one partition that the id falls into", async () => {
  const single = ["messages.find", "messages.removeContent", "attempts.find", "attempts.removeContent"];
  for (const { statement, sql } of statements.filter(({ statement }) => single.includes(statement.by))) {
    if (statement.query.includes("message_event_ids")) continue;
    const plan = await planOf(sql, statement);
    const read = new Set(
      [...nodes(plan as never)]
        .filter((node) => node["Node Type"].includes("Scan"))
        .map((node) => node["Relation Name"]),
    );
    expect([statement.by, read.size]).toEqual([statement.by, 1]);
  }
});

test("an endpoint's attempts are counted out of indexes alone, and of no other weeks", async () => {
  const { endpointId, attemptId, lateAttemptId } = filled;
  api.at.by = "a window";
  await bundle.attemptCounts.count(
    endpointId,
    { from: attemptId, countedFrom: attemptId, countedTo: lateAttemptId, to: lateAttemptId },
    { beforeId: "", rewinds: 0 },
  );
  api.at.by = null;
  const statement = api.statements.find(({ by }) => by === "a window");
  const plan = await planOf(api.sql, statement as Statement);
  const reads = [...nodes(plan as never)].filter((node) =>
    /^attempt(s|_counts)_\d{8}$/.test(node["Relation Name"] ?? ""),
  );
  for (const read of reads) {
    expect([read["Node Type"], read["Index Cond"]]).toEqual([
      "Index Only Scan",
      expect.stringMatching(/endpoint_id = .*id >= .*id < /),
    ]);
  }
  const weeks = new Set(reads.map((read) => read["Relation Name"]?.slice(-8)));
  const all = await api.sql`select from pg_inherits where inhparent = 'attempts'::regclass`;
  expect(weeks.size).toBeWithin(1, all.length);
});

test("a list comes in its order out of an index: nothing sorts more than a few pages of rows", async () => {
  const lists = ["messages.list", "attempts.list", "applications.list", "endpoints.list"];
  const issued = statements.filter(
    // What a filter goes through is bounded: whether it is sorted first is the planner's to say.
    ({ statement }) => lists.includes(statement.by) && !statement.parameters.includes(scanRowsMax),
  );
  expect(issued.length).toBeGreaterThan(6);
  for (const { statement, sql } of issued) {
    const plan = await planOf(sql, statement);
    const sorts = [...nodes(plan as never)].filter(
      (node) => node["Node Type"].includes("Sort") && node["Plan Rows"] > 250,
    );
    expect([statement.query, sorts]).toEqual([statement.query, []]);
  }
});
