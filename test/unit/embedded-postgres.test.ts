import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "../../src/lib/embedded-postgres/file-lock.ts";
import { postgresOptions, socketUrl } from "../../src/lib/embedded-postgres/index.ts";
import { isNeeded } from "../../src/lib/embedded-postgres/payload.ts";
import { temporaryFolder } from "../harness/postgres.ts";

test("a lock is one's exclusively or several's, and free again when released", () => {
  const path = join(temporaryFolder(), "lock");
  const one = tryLock(path, "exclusive");
  expect(one).not.toBeNull();
  expect(tryLock(path, "exclusive")).toBeNull();
  expect(tryLock(path, "shared")).toBeNull();
  one?.release();
  one?.release();
  const shared = [tryLock(path, "shared"), tryLock(path, "shared")];
  expect(shared).not.toContain(null);
  expect(tryLock(path, "exclusive")).toBeNull();
  for (const lock of shared) lock?.release();
  const again = tryLock(path, "exclusive");
  expect(again).not.toBeNull();
  again?.release();
});

test("a lock takes no room on the disk, so that a full one doesn't keep PostgreSQL from being stopped", () => {
  const folder = temporaryFolder();
  const path = join(folder, "lock");
  const lock = tryLock(path, "exclusive");
  expect(readdirSync(folder)).toEqual(["lock"]);
  expect(statSync(path).size).toBe(0);
  lock?.release();
});

test("a lock dies with its process, however that ends", async () => {
  const path = join(temporaryFolder(), "lock");
  const module = JSON.stringify(join(import.meta.dir, "../../src/lib/embedded-postgres/file-lock.ts"));
  const code = `import { tryLock } from ${module};
    tryLock(${JSON.stringify(path)}, "exclusive"); console.log("held"); setInterval(() => {}, 1000);`;
  const child = Bun.spawn(["bun", "-e", code], { stdout: "pipe" });
  for await (const _ of child.stdout) break;
  expect(tryLock(path, "shared")).toBeNull();
  child.kill("SIGKILL");
  await child.exited;
  const lock = tryLock(path, "exclusive");
  expect(lock).not.toBeNull();
  lock?.release();
});

const socket = { host: "/run/pg", port: 5432, path: "/run/pg/.s.PGSQL.5432", ssl: false } as const;

test.each([
  ["postgres://me@/db?host=/run/pg", { ...socket, user: "me", database: "db" }],
  [
    "postgresql://me:p%40ss@localhost/db?host=%2Frun%2Fpg",
    { ...socket, user: "me", pass: "p@ss", database: "db" },
  ],
  ["postgres://me@%2Frun%2Fpg/db", { ...socket, user: "me", database: "db" }],
  [
    "postgres://me@localhost:6000/db?host=/run/pg",
    { ...socket, port: 6000, path: "/run/pg/.s.PGSQL.6000", user: "me", database: "db" },
  ],
  ["postgres://me@db.example:5432/db?sslmode=require", null],
  ["nonsense", null],
])("postgresOptions(%p)", (url, expected) => {
  expect(postgresOptions(url)).toEqual(expected);
});

test("socketUrl is what postgresOptions and a plain URL parser read back", () => {
  const url = socketUrl({ socketDir: "/tmp/a b?&", port: 5432, user: "u@x", database: "d/b" });
  expect(postgresOptions(url)).toMatchObject({ host: "/tmp/a b?&", user: "u@x", database: "d/b" });
  expect(new URL(url).searchParams.get("host")).toBe("/tmp/a b?&");
});

test.each([
  ["bin/postgres", true],
  ["lib/libxml2.so.2", true],
  ["lib/postgresql/plpgsql.so", true],
  ["pg-symlinks.json", true],
  ["lib/libicudata.68.dylib", true],
  ["lib/postgresql/dict_snowball.so", true],
  ["share/postgresql/timezone/Asia/Yerevan", true],
  ["share/postgresql/timezonesets/Default", true],
  ["share/postgresql/tsearch_data/english.stop", true],
  ["share/postgresql/postgres.bki", true],
  ["bin/pg_ctl", false],
  ["lib/postgresql/hstore.so", false],
  ["lib/postgresql/utf8_and_big5.so", false],
  ["share/postgresql/extension/hstore.control", false],
  ["lib/libpq.a", false],
  ["lib/postgresql/plpython3.so", false],
  ["lib/postgresql/pgxs/src/Makefile.global", false],
])("isNeeded(%p) is %p", (path, needed) => {
  expect(isNeeded(path)).toBe(needed);
});
