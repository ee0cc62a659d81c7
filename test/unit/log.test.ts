import { describe, expect, test } from "bun:test";
import { createLogger } from "../../src/lib/log.ts";
import { createLine } from "../../src/lib/log-line.ts";

function capture() {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    format: "json",
    destination: { write: (line) => void lines.push(line) },
  });
  const last = () => JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown>;
  return { log, lines, last };
}

describe("lines", () => {
  test("are JSON with level, ISO time, the process, and the child's fields", () => {
    const { log, last } = capture();
    log.child({ requestId: "req_1" }).info({ status: 202 }, "request");
    expect(last()).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      pid: process.pid,
      requestId: "req_1",
      status: 202,
      msg: "request",
    });
  });

  test("below the level cost nothing and say nothing", () => {
    const { log, lines } = capture();
    log.debug("unseen");
    expect(lines).toEqual([]);
  });
});

describe("a line with few and known fields", () => {
  const fields = {
    route: "/a/:b",
    status: 202,
    tookMs: 0.25,
    retryInMs: null,
    reason: 'said "no"\n\u0007é',
    empty: "",
    orgId: undefined,
  };

  test("is the one that the logger itself writes", () => {
    const { log, lines } = capture();
    const child = log.child({ requestId: "req_1" });
    child.info(fields, "line");
    createLine(child, "line")(fields);
    const [own, short] = lines.map((line) => line.replace(/"time":"[^"]+"/, '"time":""'));
    expect(short).toBe(own as string);
  });

  test("shows no text that is a secret, and nothing below the level", () => {
    const { log, lines, last } = capture();
    const line = createLine(log, "line");
    line({ note: "whsec_hunter2", url: "https://me:hunter2@example.com/" });
    expect(last().note).toBe("[redacted]");
    expect(lines[0]).not.toContain("hunter2");
    log.level = "warn";
    line({ status: 1 });
    expect(lines).toHaveLength(1);
  });
});

describe("secrets", () => {
  test.each<[string, Record<string, unknown>]>([
    ["by name", { secret: "hunter2", token: "hunter2", apiKey: "hunter2", jwt_secret: "hunter2" }],
    ["in headers", { headers: { Authorization: "hunter2", "x-api-key": "hunter2", cookie: "hunter2" } }],
    ["deep inside", { a: [{ b: { newSecret: "hunter2" } }] }],
    ["that are objects", { keys: ["hunter2"], credentials: { user: "hunter2" } }],
    ["by their text", { note: "whsec_hunter2", other: "Bearer hunter2" }],
    ["in URLs", { url: "https://me:hunter2@example.com/?token=hunter2", at: new URL("http://a:hunter2@b/") }],
  ])("%s are redacted, in lines and in child loggers", (_, fields) => {
    const { log, lines } = capture();
    log.info(fields, "line");
    log.child(fields).info("child");
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toContain("hunter2");
      expect(line).toMatch(/\[redacted\]|\*\*\*/);
    }
  });

  test("what only sounds similar stays, and the caller's object is untouched", () => {
    const { log, last } = capture();
    const fields = {
      idempotencyKey: "k",
      tokenId: "t",
      url: "https://example.com/?a=b",
      secret: "s",
      at: new Date(0),
    };
    log.info(fields, "line");
    expect(last()).toMatchObject({
      idempotencyKey: "k",
      tokenId: "t",
      url: "https://example.com/?a=b",
      at: "1970-01-01T00:00:00.000Z",
    });
    expect(fields.secret).toBe("s");
  });

  test("an object that holds itself doesn't hang the logger", () => {
    const { log, last } = capture();
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    log.info({ loop }, "line");
    expect(last()).toHaveProperty("msg", "line");
  });
});

describe("errors", () => {
  const postgres = (code: string, message: string) =>
    Object.assign(new Error(message), {
      name: "PostgresError",
      severity: "ERROR",
      code,
      table_name: "apps",
      constraint_name: "apps_uid_key",
      detail: "Key (uid)=(hunter2) already exists.",
      parameters: ["hunter2"],
    });

  test("lose SQL and parameters, and keep code, table, constraint and frames", () => {
    const { log, lines, last } = capture();
    const error = Object.assign(new Error("Failed query: select 1\nparams: hunter2"), {
      query: "select 1",
      params: ["hunter2"],
      cause: postgres("23505", "duplicate key value violates unique constraint"),
    });
    log.error(error, "failed");
    log.error({ err: error }, "failed");
    for (const line of lines) expect(line).not.toMatch(/hunter2|select 1/);
    expect(last().err).toMatchObject({
      message: "a query failed",
      stack: expect.stringContaining("    at "),
      cause: { code: "23505", table_name: "apps", constraint_name: "apps_uid_key" },
    });
  });

  test("of class 22 lose the value that PostgreSQL quotes", () => {
    const { log, last } = capture();
    log.error(postgres("22P02", 'invalid input syntax for type uuid: "hunter2"'));
    expect(last().err).toMatchObject({ code: "22P02", message: "invalid input syntax for type uuid" });
    expect(JSON.stringify(last())).not.toContain("hunter2");
  });
});

describe("a process", () => {
  const script = (end: string) => `
    import { createLogger } from "./src/lib/log.ts";
    const log = createLogger({ level: "info", format: process.argv.at(-1) });
    for (let line = 1; line <= 3000; line++) log.info({ line }, "line");
    ${end}`;

  test.each([
    ["json", ""],
    ["json", "process.exit(0)"],
    ["json", "process.exitCode = 0; throw new Error('boom')"],
    ["pretty", "process.exit(0)"],
  ])("loses no %s line when it ends by '%s'", async (format, end) => {
    const child = Bun.spawn(["bun", "-e", script(end), format], { stdout: "pipe", stderr: "ignore" });
    const text = await child.stdout.text();
    expect(text.trimEnd().split("\n")).toHaveLength(3000);
    expect(text).toContain("3000");
  });

  test("ends although nobody reads its lines any more", async () => {
    const command = ["sh", "-c", 'bun -e "$0" json | true', script("process.exit(0)")];
    const child = Bun.spawn(command, { stdout: "ignore", stderr: "ignore", timeout: 10_000 });
    expect(await child.exited).toBe(0);
  });
});
