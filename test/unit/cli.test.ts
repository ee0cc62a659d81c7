import { describe, expect, test } from "bun:test";
import { type CommandDef, defineCommand } from "citty";
import { extendCommand, lazyCommand, runCli } from "../../src/lib/cli.ts";
import { errorSentence, InterruptedError, UsageError } from "../../src/lib/cli-errors.ts";
import { dateValue, durationSeconds, intValue, listValue } from "../../src/lib/cli-values.ts";

const seen: unknown[] = [];
const failures: Record<string, Error> = {
  plain: new Error("the disk is full", { cause: new Error("ENOSPC") }),
  usage: new UsageError("--port is taken."),
  interrupted: new InterruptedError(),
  query: Object.assign(new Error("Failed query: select secret\nparams: hunter2"), {
    query: "select",
    params: ["hunter2"],
    cause: new Error("connection refused"),
  }),
};

const serve = extendCommand(
  defineCommand({
    meta: { name: "serve", description: "Serve." },
    args: {
      port: { type: "string", description: "The port." },
      tag: { type: "string", alias: "t" },
      mode: { type: "enum", options: ["fast", "slow"] },
      worker: { type: "boolean" },
      fail: { type: "string" },
    },
    run({ args }) {
      if (args.fail === "code") return 7;
      const failure = failures[args.fail ?? ""];
      if (failure) throw failure;
      seen.push({ port: args.port, tag: args.tag, mode: args.mode, worker: args.worker });
      return undefined;
    },
  }),
  { sections: () => [{ title: "ENVIRONMENT", body: "  PORT  the port" }], repeatable: ["tag"] },
);

const show = defineCommand({
  meta: { name: "show", description: "Show a thing." },
  args: { thing: { type: "positional" }, at: { type: "string", required: true } },
  run: ({ args }) => void seen.push({ thing: args.thing, at: args.at }),
});

const root = defineCommand({
  meta: { name: "app", version: "1.2.3", description: "A program." },
  args: { version: { type: "boolean" } },
  subCommands: {
    serve: lazyCommand("Serve it.", async () => ({ default: serve })),
    ops: defineCommand({
      meta: { name: "ops", description: "Operate." },
      subCommands: { show: lazyCommand("Show it.", async () => ({ default: show })) },
    }),
    tasks: defineCommand({
      meta: { name: "tasks", description: "Show things by default." },
      default: "show",
      subCommands: { show: lazyCommand("Show it.", async () => ({ default: show })) },
    }),
    broken: lazyCommand("Can't even load.", async (): Promise<{ default: CommandDef }> => {
      throw new Error("no such file");
    }),
  },
});

async function run(line: string | string[], debug = false) {
  const written = { out: "", err: "" };
  seen.length = 0;
  const argv = typeof line === "string" ? line.split(" ").filter(Boolean) : line;
  const code = await runCli(root, argv, {
    out: (text) => {
      written.out += Bun.stripANSI(text);
    },
    err: (text) => {
      written.err += Bun.stripANSI(text);
    },
    debug,
  });
  return { code, ...written };
}

describe("right command lines", () => {
  test.each([
    ["serve", {}],
    ["serve --port 80 --worker", { port: "80", worker: true }],
    ["serve --port=80 --no-worker --mode=slow", { port: "80", worker: false, mode: "slow" }],
    ["serve --worker=false", { worker: false }],
    ["serve --tag a -t b --tag c,d", { tag: "a,b,c,d" }],
    ["serve --port=-1", { port: "-1" }],
    ["serve --port -1", { port: "-1" }],
    ["serve --port=--no-worker", { port: "--no-worker" }],
    ["ops show this --at now", { thing: "this", at: "now" }],
    ["ops show --at now -- --this", { thing: "--this", at: "now" }],
    ["tasks show this --at now", { thing: "this", at: "now" }],
    ["tasks --at=now -- this", { thing: "this", at: "now" }],
  ])("%s", async (line, args) => {
    expect(await run(line)).toEqual({ code: 0, out: "", err: "" });
    expect(seen).toEqual([expect.objectContaining(args)]);
  });

  test("--version", async () => {
    expect(await run("--version")).toEqual({ code: 0, out: "1.2.3\n", err: "" });
  });

  test("a number that run returns is the exit code", async () => {
    expect((await run("serve --fail code")).code).toBe(7);
  });
});

describe("wrong command lines run nothing, exit 2 and name what is wrong", () => {
  test.each<[string | string[], string]>([
    ["srve", 'Unknown command "srve"; did you mean serve?'],
    ["ops shwo", 'Unknown command "shwo"; did you mean show?'],
    ["frobnicate", 'Unknown command "frobnicate"\n'],
    ["constructor", 'Unknown command "constructor"'],
    ["serve --prot 80", "Unknown flag --prot; did you mean --port?"],
    ["serve --prot=80", "Unknown flag --prot; did you mean --port?"],
    ["serve -x", "Unknown flag -x"],
    ["serve --no-port", "Unknown flag --no-port"],
    ["--port 80 serve", "Unknown flag --port"],
    ["ops --at now show it", "Unknown flag --at"],
    ["ops --at", "Unknown flag --at"],
    ["serve --port=", "--port needs a value, got an empty one."],
    [["serve", "--port", ""], "--port needs a value, got an empty one."],
    ["serve --port", "--port needs a value."],
    ["serve --port --worker", "--port needs a value;"],
    ["serve --port 1 --port 2", "--port is given 2 times"],
    ["serve --worker --worker", "--worker is given 2 times"],
    ["serve --worker=maybe", '--worker takes no value, got "maybe".'],
    ["serve --no-worker=true", '--no-worker takes no value, got "true".'],
    ["serve --mode fsat", '--mode is one of fast, slow; got "fsat"; did you mean fast?'],
    ["serve stray", 'Unexpected argument "stray"'],
    ["serve port", 'Unexpected argument "port"; did you mean --port?'],
    ["serve -- --port", 'Unexpected argument "--port"\n'],
    [["ops", "show", "", "--at", "x"], "An argument is empty."],
    ["ops show --at x", "Missing argument <thing>."],
    ["ops show this", "Missing --at."],
    ["ops show this that --at x", 'Unexpected argument "that"'],
    ["--version serve", 'Unexpected argument "serve"'],
  ])("%s", async (line, message) => {
    const { code, out, err } = await run(line);
    expect({ code, out, err }).toEqual({ code: 2, out: "", err: expect.stringContaining(message) });
    expect(seen).toEqual([]);
  });

  test.each(["", "ops"])("'%s' alone prints the usage", async (line) => {
    const { code, err } = await run(line);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("COMMANDS") });
  });
});

describe("help", () => {
  test.each(["serve --help", "serve -h", "--help serve", "serve --port --help", "serve --prot 1 --help"])(
    "%s prints the command's usage and its own sections",
    async (line) => {
      const { code, out } = await run(line);
      expect(code).toBe(0);
      expect(out).toContain("USAGE app serve");
      expect(out).toContain("--port=<port>    The port.");
      expect(out).toContain("ENVIRONMENT\n\n  PORT  the port");
      expect(out).not.toMatch(/ $/m);
      expect(seen).toEqual([]);
    },
  );

  test("of the root lists commands without loading them", async () => {
    const { out } = await run("--help");
    expect(out).toContain("Can't even load.");
  });

  test("of a nested command has the whole path", async () => {
    expect((await run("ops show --help")).out).toContain("USAGE app ops show");
  });
});

describe("errors", () => {
  test.each([
    ["plain", 1, "the disk is full: ENOSPC\n"],
    ["usage", 2, "--port is taken.\nRun with --help for usage.\n"],
    ["interrupted", 130, "Interrupted; run the same command again to go on.\n"],
    ["query", 1, "A database query failed: connection refused\n"],
  ])("a %s error exits %d with a sentence and no stack", async (fail, code, err) => {
    expect(await run(`serve --fail ${fail}`)).toEqual({ code, out: "", err });
  });

  test("debug shows the stack, still without parameters", async () => {
    const { err } = await run("serve --fail query", true);
    expect(err).toContain("    at ");
    expect(err).not.toContain("hunter2");
  });

  test("an AggregateError without a message says what its first error says", () => {
    expect(errorSentence(new AggregateError([new Error("ECONNREFUSED")], "all failed"))).toBe(
      "all failed: ECONNREFUSED",
    );
  });

  test("a message that ends with its cause's own says it once", () => {
    expect(errorSentence(new Error("can't write: EACCES", { cause: new Error("EACCES") }))).toBe(
      "can't write: EACCES",
    );
  });
});

describe("typed values", () => {
  const range = { min: 1, max: 10 };
  test("ints", () => {
    expect(intValue("rate", "10", range)).toBe(10);
    for (const text of ["0", "11", "1.5", "1e1", "x", ""]) {
      expect(() => intValue("rate", text, range)).toThrow("--rate is a whole number from 1 to 10");
    }
  });

  test("durations", () => {
    expect(
      ["1500ms", "90s", "1.5m", "2h", "28d", "1w", "10y"].map((text) => durationSeconds("in", text)),
    ).toEqual([1.5, 90, 90, 7200, 2_419_200, 604_800, 315_360_000]);
    for (const text of ["", "5", "s", "-1s", "1 s", "1x"]) {
      expect(() => durationSeconds("in", text)).toThrow("--in is a duration");
    }
    expect(() => durationSeconds("in", "2h", { max: 60 })).toThrow("from 0 s to 60 s");
  });

  test("dates", () => {
    const nowMs = Date.UTC(2026, 0, 31, 12);
    const read = (text: string) => dateValue("since", text, nowMs).toISOString();
    expect(read("2026-01-02")).toBe("2026-01-02T00:00:00.000Z");
    expect(read("2026-01-02T03:04:05.678Z")).toBe("2026-01-02T03:04:05.678Z");
    expect(read("2026-01-02 03:04+02:00")).toBe("2026-01-02T01:04:00.000Z");
    expect(read("2h")).toBe("2026-01-31T10:00:00.000Z");
    for (const text of [
      "2026-02-30",
      "2026-13-01",
      "2026-01-02T25:00:00Z",
      "2026-01-02T03:04:05",
      "yesterday",
      "1",
    ]) {
      expect(() => dateValue("since", text, nowMs)).toThrow("--since is a time");
    }
  });

  test("lists", () => {
    expect(listValue("type", "a, b")).toEqual(["a", "b"]);
    expect(listValue("type", undefined)).toEqual([]);
    expect(() => listValue("type", "a,,b")).toThrow("--type has an empty part");
  });
});
