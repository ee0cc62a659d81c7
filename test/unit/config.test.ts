import { describe, expect, test } from "bun:test";
import { ConfigError, configMarkdown, describeConfig, loadConfig, redactConfig } from "../../src/config.ts";

const STRONG = "kJ8sQ2vZ7xN4mB1cW9eR5tY3uI6oP0aSdFgHjKlQ";
const SHARED = { DATABASE_URL: "postgres://me:hunter2@db:5432/posthorn", JWT_SECRET: STRONG };

function problemsOf(env: Record<string, string>, role: "serve" | "worker" | "migrate" | "ops" = "serve") {
  try {
    loadConfig(env, role);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe("defaults", () => {
  test("an empty environment is embedded, on loopback", () => {
    expect(loadConfig({}, "serve", false)).toEqual({
      databasePrepare: true,
      dataDir: "./data",
      host: "127.0.0.1",
      port: 8071,
      workerPort: 8072,
      retrySchedule: [5, 300, 1800, 7200, 18_000, 36_000, 36_000],
      retryJitter: 0.2,
      deliveryTimeoutMs: 15_000,
      deliveryConcurrency: 256,
      endpointConcurrency: 32,
      responseBodyBytesMax: 20_000,
      egressAllow: [],
      endpointHttpsOnly: false,
      disableEndpointAfterSeconds: 432_000,
      payloadRetentionDays: 90,
      attemptRetentionDays: 90,
      logLevel: "info",
      logFormat: "json",
      shutdownTimeoutMs: 30_000,
      embedded: true,
    });
  });

  test("with DATABASE_URL it listens everywhere", () => {
    expect(loadConfig(SHARED, "serve")).toMatchObject({ host: "0.0.0.0", embedded: false });
  });

  test("lines are pretty on a terminal unless LOG_FORMAT says otherwise", () => {
    expect(loadConfig({}, "serve", true).logFormat).toBe("pretty");
    expect(loadConfig({ LOG_FORMAT: "json" }, "serve", true).logFormat).toBe("json");
  });

  test("an empty text is unset, except for RETRY_SCHEDULE, where it means none", () => {
    const config = loadConfig({ PORT: "", DATABASE_URL: "", RETRY_SCHEDULE: "" }, "serve");
    expect(config).toMatchObject({ port: 8071, embedded: true, retrySchedule: [] });
  });

  test("nothing of it can be changed", () => {
    const config = loadConfig({}, "serve");
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => (config.retrySchedule as number[]).push(1)).toThrow(TypeError);
  });
});

const RIGHT: [string, string, string, unknown][] = [
  ["PORT", "0", "port", 0],
  ["DATABASE_PREPARE", "false", "databasePrepare", false],
  ["DATABASE_PREPARE", "0", "databasePrepare", false],
  ["RETRY_SCHEDULE", "0.5, 2,3", "retrySchedule", [0.5, 2, 3]],
  ["RETRY_JITTER", "0", "retryJitter", 0],
  ["EGRESS_ALLOW", "127.0.0.0/8, ::1", "egressAllow", ["127.0.0.0/8", "::1/128"]],
  ["EGRESS_ALLOW", "10.1.2.3", "egressAllow", ["10.1.2.3/32"]],
  ["EGRESS_PROXY", "http://u:p@proxy:3128", "egressProxy", "http://u:p@proxy:3128"],
  ["HOST", "::1", "host", "::1"],
  ["ENCRYPTION_KEY", Buffer.alloc(32, 7).toString("base64"), "encryptionKeys", [new Uint8Array(32).fill(7)]],
  [
    "ENCRYPTION_KEY",
    [1, 2].map((byte) => Buffer.alloc(32, byte).toString("base64")).join(", "),
    "encryptionKeys",
    [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
  ],
  ["DISABLE_ENDPOINT_AFTER", "60", "disableEndpointAfterSeconds", 60],
];

test.each(RIGHT)("%s=%s is read", (name, text, field, value) => {
  expect(loadConfig({ [name]: text }, "serve")).toHaveProperty(field, value);
});

const WRONG: [string, string, string][] = [
  ["PORT", "80a", "a whole number from 0 to 65535"],
  ["PORT", "65536", "a whole number from 0 to 65535"],
  ["PORT", "8e3", "a whole number from 0 to 65535"],
  ["PORT", " 80", "a whole number from 0 to 65535"],
  ["PORT", "80.5", "a whole number from 0 to 65535"],
  ["RETRY_JITTER", "1.1", "a number from 0 to 1"],
  ["DATABASE_PREPARE", "yes", "true or false"],
  ["LOG_LEVEL", "loud", "one of trace, debug, info, warn, error, fatal, silent"],
  ["RETRY_SCHEDULE", "1,,2", "numbers of seconds"],
  ["RETRY_SCHEDULE", "-1", "numbers of seconds"],
  ["EGRESS_ALLOW", "127.1/8", "networks like"],
  ["EGRESS_ALLOW", "10.0.0.0/33", "networks like"],
  ["EGRESS_ALLOW", "fe80::1%eth0/64", "networks like"],
  ["EGRESS_PROXY", "socks5://proxy", "a URL like http://"],
  ["HOST", "localhost:80", "without a port"],
  ["ENCRYPTION_KEY", Buffer.alloc(31).toString("base64"), "32 bytes as base64"],
  ["ENCRYPTION_KEY", `${Buffer.alloc(32).toString("base64")},`, "with commas between"],
  ["DATABASE_URL", "mysql://db/x", "a URL like postgres://"],
  ["DATABASE_URL", "postgres://me:5%zz@db/x", "% written as %25"],
];

test.each(WRONG)("%s=%s is refused with what was expected", (name, text, expected) => {
  const { problems, message } = problemsOf({ [name]: text, JWT_SECRET: STRONG });
  expect(problems.map((problem) => problem.name)).toEqual([name]);
  expect(message).toContain(expected);
});

test("all wrong variables are named at once", () => {
  const { problems } = problemsOf({ PORT: "x", LOG_LEVEL: "x", DATABASE_URL: "postgres://db/x" });
  expect(problems.map(({ name }) => name).sort()).toEqual(["JWT_SECRET", "LOG_LEVEL", "PORT"]);
});

describe("cross checks", () => {
  test.each(["serve", "worker"] as const)("%s needs JWT_SECRET with DATABASE_URL", (role) => {
    expect(problemsOf({ DATABASE_URL: "postgres://db/x" }, role).message).toContain(
      "JWT_SECRET: got nothing",
    );
  });

  test.each(["migrate", "ops"] as const)("%s does not", (role) => {
    expect(loadConfig({ DATABASE_URL: "postgres://db/x" }, role).jwtSecret).toBeUndefined();
  });

  test.each([
    "short",
    "x".repeat(40),
    "8KjzRXrKkd9YFcNyqLSIY8JwiaCeRc6WK4UkMnSW",
    "please-change-me-0123456789-abcdefghij",
  ])("the weak secret %s is refused, unless only this machine can connect", (secret) => {
    const env = { DATABASE_URL: "postgres://db/x", JWT_SECRET: secret };
    const { message } = problemsOf(env);
    expect(message).toContain("JWT_SECRET");
    expect(message).not.toContain(secret);
    for (const HOST of ["127.0.0.1", "::1", "localhost"]) {
      expect(loadConfig({ ...env, HOST }, "serve").jwtSecret).toBe(secret);
    }
  });

  test("DATABASE_DIRECT_URL alone is refused", () => {
    expect(problemsOf({ DATABASE_DIRECT_URL: "postgres://db/x" }).message).toContain(
      "DATABASE_URL: got nothing",
    );
  });
});

describe("secrets stay hidden", () => {
  test("in complaints", () => {
    const { message } = problemsOf({
      DATABASE_URL: "mysql://me:hunter2/@x@db/x?password=hunter2",
      EGRESS_PROXY: "ftp://me:hunter2@proxy",
      ENCRYPTION_KEY: "hunter2",
    });
    expect(message).not.toContain("hunter2");
    expect(message).toContain("mysql://me:***@db/x?password=***");
  });

  test("in the dump of the start", () => {
    const ENCRYPTION_KEY = Buffer.alloc(32, 1).toString("base64");
    const dump = redactConfig(loadConfig({ ...SHARED, ENCRYPTION_KEY }, "serve"));
    expect(dump).toMatchObject({
      databaseUrl: "postgres://me:***@db:5432/posthorn",
      jwtSecret: "***",
      encryptionKeys: "***",
      port: 8071,
    });
  });
});

test("the help and the README's table name every variable", () => {
  for (const name of ["DATABASE_URL", "DISABLE_ENDPOINT_AFTER", "SHUTDOWN_TIMEOUT_MS"]) {
    expect(describeConfig()).toContain(name);
    expect(configMarkdown()).toContain(`| \`${name}\` |`);
  }
  expect(
    Math.max(
      ...describeConfig()
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(100);
});
