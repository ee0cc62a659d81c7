import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "../../src/database.ts";
import { createRepos } from "../../src/repos/index.ts";
import { createAuthentication } from "../../src/services/authentication.ts";
import { opsOn } from "../harness/ops.ts";
import { createTestDatabase, type TestDatabase } from "../harness/postgres.ts";

const org = "org_23rb8YdGqMT0qIzpgGwdXfHirMu";
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const keys = (...args: string[]) => opsOn(database).run("keys", ...args);

test("a key's life: made, listed without its token, revoked after a yes, and all of it audited", async () => {
  const made = await keys("create", "--name", "CI", "--scopes=read", "--scopes", "admin", "--expires=28d");
  expect({ code: made.code, err: made.err }).toEqual({ code: 0, err: "" });
  const { id, token } = made.lines[0] as { id: string; token: string };
  expect(made.lines[0]).toMatchObject({ event: "key", name: "CI", scopes: "read,admin" });
  expect(made.summary).toMatchObject({ event: "summary", created: 1 });

  const client = connect(database.url, { max: 1, prepare: true, applicationName: "ops keys test" });
  const authentication = () => createAuthentication({ jwtSecret: "x", repos: createRepos(client) });
  const actor = { kind: "key", orgId: org, keyId: id, scopes: ["read", "admin"] };
  expect(await authentication().authenticate(`Bearer ${token}`)).toEqual(actor as never);

  const listed = await keys("list");
  expect(listed.lines).toMatchObject([{ id, name: "CI", lastUsedAt: null }, { keys: 1 }]);
  expect(listed.out).not.toContain(token);

  expect(await keys("revoke", id)).toMatchObject({ code: 2, err: expect.stringContaining("--yes") });
  expect(await keys("revoke", id, "--dry-run")).toMatchObject({
    code: 0,
    lines: [{ dryRun: true, revoked: 0 }],
  });
  expect(await keys("revoke", id, "--yes")).toMatchObject({ code: 0, lines: [{ revoked: 1 }] });
  expect(async () => authentication().authenticate(`Bearer ${token}`)).toThrow("authentication_failed");
  expect((await keys("list")).lines).toMatchObject([{ keys: 0 }]);
  expect(await keys("revoke", id, "--yes")).toMatchObject({
    code: 2,
    err: expect.stringContaining("no live key"),
  });

  const log = await database.sql`select action, actor, target from audit_log order by id`;
  expect(log.map(({ action, target }) => [action, target])).toEqual([
    ["api-key.create", id],
    ["api-key.revoke", id],
  ]);
  expect(log[0]?.actor).toStartWith("operator:");
  await client.end({ timeout: 1 });
}, 60_000);

test.each([
  [["create"], "name"],
  [["create", "--name", "x", "--scopes", "root"], "--scopes are read, write and admin"],
  [["create", "--name", ""], "--name"],
  [["create", "--name", "x", "--expires", "0s"], "--expires is a duration"],
  [["list", "--org", "org_x"], "--org is org_ and 27"],
  [["revoke", "key_x"], "A key's id is key_ and 27"],
  [["make"], "Unknown command"],
])("keys %j exits 2", async (args, message) => {
  expect(await keys(...args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
});
