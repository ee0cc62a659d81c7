import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Sql } from "postgres";
import { connect } from "../../src/database.ts";
import { idBound, newId } from "../../src/lib/ids.ts";
import { createRepos, type Repos } from "../../src/repos/index.ts";
import {
  dropOldPartitions,
  ensurePartitions,
  missingPartitions,
  partitionsAhead,
  partitionsNow,
  weekStart,
} from "../../src/services/partitions.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";

let database: TestDatabase;
let repos: Repos;
let sql: Sql;

beforeAll(async () => {
  database = await createTestDatabase();
  repos = createRepos(open(4));
  sql = database.sql;
});
afterAll(async () => {
  await Promise.all(opened.map((client) => client.end({ timeout: 1 })));
  await database.drop();
});

const opened: Sql[] = [];
function open(max: number): Sql {
  const client = connect(database.url, { max, prepare: true, applicationName: "posthorn test" });
  opened.push(client);
  return client;
}

const insert = (time: Date) => sql`
  insert into messages (id, org_id, app_id, event_type, payload_expires_at)
  values (${newId("msg_", time.getTime())}, 'org_1', 'app_1', 'a', now()) returning tableoid::regclass::text as partition`;

const ensureWeek = (repos: Repos, time: Date) => ensurePartitions(repos, { from: time, to: time });

test("a week starts on Monday at midnight UTC", () => {
  const cases = [
    ["2026-11-23T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
    ["2026-11-22T23:59:59.999Z", "2026-11-16T00:00:00.000Z"],
    ["2026-11-29T23:59:59.999Z", "2026-11-23T00:00:00.000Z"],
    ["2027-01-01T12:00:00.000Z", "2026-12-28T00:00:00.000Z"],
  ];
  for (const [time, monday] of cases as [string, string][]) {
    expect(weekStart(new Date(time)).toISOString()).toBe(monday);
  }
});

test("eight makers at once make each partition once, up to eight weeks ahead", async () => {
  const now = new Date("2030-03-06T10:00:00Z");
  const makers = Array.from({ length: 8 }, () => createRepos(open(1)));
  const made = await Promise.all(makers.map((maker) => ensurePartitions(maker, partitionsAhead(now))));
  expect(made.flat().toSorted()).toEqual([...new Set(made.flat())].toSorted());
  expect(made.flat()).toContain("messages_20300225");
  expect(made.flat()).toContain("attempts_20300429");
  expect(made.flat()).toHaveLength(3 * 10);
  expect(await ensurePartitions(repos, partitionsAhead(now))).toEqual([]);
});

test.each(["2032-03-01T00:00:00Z", "2033-03-13T23:59:59Z"])(
  "at %p a start makes a fortnight's",
  async (time) => {
    const now = new Date(time);
    expect(await ensurePartitions(repos, partitionsNow(now))).not.toEqual([]);
    const dayMs = 86_400_000;
    const around = { from: new Date(now.getTime() - 7 * dayMs), to: new Date(now.getTime() + 14 * dayMs) };
    expect(await missingPartitions(repos, around)).toEqual([]);
    expect(await missingPartitions(repos, partitionsAhead(now))).not.toEqual([]);
  },
);

test("an insert finds the partition of its week on both sides of midnight", async () => {
  await ensurePartitions(repos, { from: new Date("2031-01-01Z"), to: new Date("2031-02-01Z") });
  const last = new Date("2031-01-12T23:59:59.996Z");
  expect(await insert(last)).toMatchObject([{ partition: "messages_20310106" }]);
  expect(await insert(new Date(last.getTime() + 4))).toMatchObject([{ partition: "messages_20310113" }]);
});

test("a partition that is missing is made for the insert that met the gap", async () => {
  const time = new Date("2035-05-05T05:05:05Z");
  await expect(insert(time)).rejects.toMatchObject({ code: "23514" });
  expect(await ensureWeek(repos, time)).toEqual([
    "messages_20350430",
    "attempts_20350430",
    "attempt_counts_20350430",
  ]);
  expect(await insert(time)).toHaveLength(1);
});

test("a partition has the indexes of its table", async () => {
  await ensureWeek(repos, new Date("2036-01-01Z"));
  const detached = await sql`
    select i.indexrelid::regclass::text as name from pg_index i
    where i.indrelid in ('messages_20351231'::regclass, 'attempts_20351231'::regclass, 'attempt_counts_20351231'::regclass)
      and not exists (select from pg_inherits where inhrelid = i.indexrelid)`;
  expect([...detached]).toEqual([]);
});

test("retention drops what is wholly older, and nothing that holds a younger row", async () => {
  const now = new Date("2020-06-01T00:00:00Z"); // a Monday
  await ensurePartitions(repos, { from: new Date("2020-01-06Z"), to: new Date("2020-02-03Z") });
  const kept = await insert(new Date(now.getTime() - 126 * 86_400_000)); // 2020-01-27
  const dropped = await dropOldPartitions(repos, { days: 126, now });
  expect(dropped).toEqual(
    ["attempt_counts", "attempts", "messages"].flatMap((table) =>
      ["0106", "0113", "0120"].map((day) => `${table}_2020${day}`),
    ),
  );
  const [row] = kept as unknown as { partition: string }[];
  expect(row?.partition).toBe("messages_20200127");
  expect(await sql`select 1 from messages where id < ${idBound("msg_", now)}`).toHaveLength(1);
  expect(await dropOldPartitions(repos, { days: 126, now })).toEqual([]);
});

test("what an interrupted drop left detached is dropped by the next, and can be made again", async () => {
  const time = new Date("2019-01-09Z");
  await ensureWeek(repos, time);
  await sql.unsafe("alter table messages detach partition messages_20190107");
  expect(await ensureWeek(repos, time)).toEqual(["messages_20190107"]);
  await sql.unsafe("alter table messages detach partition messages_20190107");
  const now = new Date("2019-06-01Z");
  expect(await dropOldPartitions(repos, { days: 90, now })).toEqual([
    "attempt_counts_20190107",
    "attempts_20190107",
    "messages_20190107",
  ]);
});

test("inserts go on while partitions are made and dropped", async () => {
  const time = new Date("2031-01-15Z");
  const reader = open(1);
  // A reader in a long transaction: DDL that needed the table to itself would wait for it, and inserts for the DDL.
  await reader.unsafe("begin");
  await reader`select count(*) from messages`;
  const making = ensureWeek(repos, new Date("2040-01-01Z"));
  expect(await insert(time)).toHaveLength(1);
  expect(await making).toHaveLength(3);
  await reader.unsafe("rollback");
});
