import { isatty } from "node:tty";
import { type Static, Type } from "@sinclair/typebox";
import * as checks from "./lib/config-checks.ts";
import * as env from "./lib/env.ts";
import { retryDelaySecondsMax, retryDelaysMax } from "./services/delivery-limits.ts";

const { variable } = env;
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Every variable that Posthorn reads, by the field that holds its value. Units stand last in a field's name. */
const ConfigSchema = Type.Object({
  databaseUrl: variable("DATABASE_URL", Type.Optional(Type.String()), {
    description: "PostgreSQL to use, pooled or not. Unset: PostgreSQL runs embedded, in DATA_DIR.",
    defaultText: "unset: embedded",
    ...checks.postgresUrl,
  }),
  databaseDirectUrl: variable("DATABASE_DIRECT_URL", Type.Optional(Type.String()), {
    description: "The same database past a pooler, for LISTEN, locks and migrations.",
    defaultText: "DATABASE_URL",
    ...checks.postgresUrl,
  }),
  databasePrepare: variable("DATABASE_PREPARE", Type.Boolean(), {
    description: "Prepared statements. Set to false behind PgBouncer in transaction mode.",
    default: true,
  }),
  dataDir: variable("DATA_DIR", Type.String(), {
    description: "Where embedded PostgreSQL and the secrets made at the first start live.",
    default: "./data",
  }),
  host: variable("HOST", Type.String(), {
    description: "The address that is listened on.",
    defaultText: "127.0.0.1 embedded, else 0.0.0.0",
    ...checks.host,
  }),
  port: variable("PORT", Type.Integer({ minimum: 0, maximum: 65535 }), {
    description: "The API's port; 0 takes any free one.",
    default: 8071,
  }),
  workerPort: variable("WORKER_PORT", Type.Integer({ minimum: 0, maximum: 65535 }), {
    description: "The port of a worker's health and metrics; 0 takes any free one.",
    default: 8072,
  }),
  jwtSecret: variable("JWT_SECRET", Type.Optional(Type.String()), {
    description:
      "Signs and checks org and app tokens (HS256), 32 characters or more; a weak one only while HOST is loopback. Required with DATABASE_URL.",
    defaultText: "embedded: made once, kept in DATA_DIR",
    hide: "value",
  }),
  encryptionKeys: variable("ENCRYPTION_KEY", Type.Optional(Type.Array(Type.Uint8Array())), {
    description:
      "Encrypts endpoint secrets at rest: 32 bytes, base64. While keys change, several with commas between: the first encrypts, all decrypt.",
    ...checks.encryptionKeys,
  }),
  retrySchedule: variable(
    "RETRY_SCHEDULE",
    Type.Array(Type.Number({ minimum: 0, maximum: retryDelaySecondsMax }), { maxItems: retryDelaysMax }),
    {
      description: "Seconds before each retry, fractions allowed; empty for no retries.",
      default: [5, 300, 1800, 7200, 18_000, 36_000, 36_000],
      ...checks.secondsList,
    },
  ),
  retryJitter: variable("RETRY_JITTER", Type.Number({ minimum: 0, maximum: 1 }), {
    description: "The share by which each delay is moved at random, either way.",
    default: 0.2,
  }),
  deliveryTimeoutMs: variable("DELIVERY_TIMEOUT_MS", Type.Integer({ minimum: 10, maximum: 300_000 }), {
    description: "How long one delivery may take, from connecting to the last byte.",
    default: 15_000,
  }),
  deliveryConcurrency: variable("DELIVERY_CONCURRENCY", Type.Integer({ minimum: 1, maximum: 100_000 }), {
    description: "Deliveries in flight per worker.",
    default: 256,
  }),
  endpointConcurrency: variable("ENDPOINT_CONCURRENCY", Type.Integer({ minimum: 1, maximum: 100_000 }), {
    description: "Deliveries in flight per endpoint and worker.",
    default: 32,
  }),
  responseBodyBytesMax: variable(
    "RESPONSE_BODY_BYTES_MAX",
    Type.Integer({ minimum: 0, maximum: 10_000_000 }),
    {
      description: "How much of an endpoint's answer is read and kept.",
      default: 20_000,
    },
  ),
  egressAllow: variable("EGRESS_ALLOW", Type.Array(Type.String()), {
    description: "Networks that deliveries may reach although they are private: CIDRs, with commas between.",
    default: [],
    defaultText: "unset",
    ...checks.cidrList,
  }),
  egressProxy: variable("EGRESS_PROXY", Type.Optional(Type.String()), {
    description: "An HTTP proxy that deliveries go through.",
    ...checks.proxyUrl,
  }),
  endpointHttpsOnly: variable("ENDPOINT_HTTPS_ONLY", Type.Boolean(), {
    description: "Refuse endpoints whose URL is not https.",
    default: false,
  }),
  disableEndpointAfterSeconds: variable(
    "DISABLE_ENDPOINT_AFTER",
    Type.Integer({ minimum: 1, maximum: 31_536_000 }),
    { description: "Seconds of nothing but failure after which an endpoint is disabled.", default: 432_000 },
  ),
  payloadRetentionDays: variable("PAYLOAD_RETENTION_DAYS", Type.Integer({ minimum: 1, maximum: 3650 }), {
    description: "Days that a message's payload is kept.",
    default: 90,
  }),
  attemptRetentionDays: variable("ATTEMPT_RETENTION_DAYS", Type.Integer({ minimum: 1, maximum: 3650 }), {
    description: "Days that messages and attempts are kept.",
    default: 90,
  }),
  logLevel: variable("LOG_LEVEL", Type.Union(LOG_LEVELS.map((level) => Type.Literal(level))), {
    description: "The least level that is logged: trace, debug, info, warn, error, fatal or silent.",
    default: "info",
  }),
  logFormat: variable("LOG_FORMAT", Type.Union([Type.Literal("pretty"), Type.Literal("json")]), {
    description: "pretty, or json: one object a line.",
    defaultText: "pretty on a terminal, else json",
  }),
  shutdownTimeoutMs: variable("SHUTDOWN_TIMEOUT_MS", Type.Integer({ minimum: 0, maximum: 3_600_000 }), {
    description: "How long a stopping process may take to finish what is in flight.",
    default: 30_000,
  }),
});

/** The whole configuration, frozen. `embedded`: no DATABASE_URL, so PostgreSQL runs inside. */
export type Config = checks.DeepReadonly<Static<typeof ConfigSchema>> & { readonly embedded: boolean };

/** What the process is: it decides which variables it can't do without. */
export type Role = "serve" | "worker" | "migrate" | "ops";

/** The environment is wrong. `problems` has every wrong variable; the message lists them, secrets redacted. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(readonly problems: readonly env.Problem[]) {
    const lines = problems.map(({ name, got, expected }) => `  ${name}: got ${got}, expected ${expected}`);
    super(`The environment is wrong:\n${lines.join("\n")}`);
  }
}

/** The process's environment. Nothing else in the program reads `process.env`. */
export function environment(): env.Environment {
  return process.env;
}

/**
 * Reads and checks the configuration.
 * @throws ConfigError that names every wrong variable at once.
 */
export function loadConfig(from: env.Environment, role: Role, terminal: boolean = isatty(1)): Config {
  const { values, problems } = env.readVariables(ConfigSchema, from);
  const embedded = !from.DATABASE_URL;
  const host = values.host ?? (embedded ? "127.0.0.1" : "0.0.0.0");
  const logFormat = values.logFormat ?? (terminal ? "pretty" : "json");
  const all = [...problems, ...crossCheck(from, role, host)];
  if (all.length > 0) throw new ConfigError(all);
  return checks.deepFreeze({ ...values, host, logFormat, embedded } as Config);
}

/** The configuration as the start logs it: no secret, no password. */
export function redactConfig(config: Config): Record<string, unknown> {
  const hidden = new Map(
    Object.entries(ConfigSchema.properties).map(([field, schema]) => [field, env.variableOf(schema).hide]),
  );
  return Object.fromEntries(
    Object.entries(config).map(([field, value]) => {
      if (value === undefined || !hidden.get(field)) return [field, value];
      return [field, hidden.get(field) === "password" ? env.redactUrl(String(value)) : "***"];
    }),
  );
}

/** The variables as `--help` prints them: one paragraph each, at most 100 columns wide. */
export function describeConfig(): string {
  return rows()
    .map(({ name, initial, description }) => {
      const text = Bun.wrapAnsi(`${description} [${initial}]`, 74);
      return `  ${name.padEnd(24)}${text.replaceAll("\n", `\n${" ".repeat(26)}`)}`;
    })
    .join("\n");
}

/** The variables as the README's table. */
export function configMarkdown(): string {
  const body = rows().map((row) => `| \`${row.name}\` | ${row.initial} | ${row.description} |`);
  return ["| variable | default | |", "|---|---|---|", ...body].join("\n");
}

function rows() {
  return Object.values(ConfigSchema.properties).map((schema) => ({
    name: env.variableOf(schema).name,
    initial: env.defaultTextOf(schema),
    description: env.variableOf(schema).description,
  }));
}

function crossCheck(from: env.Environment, role: Role, host: string): env.Problem[] {
  const problems: env.Problem[] = [];
  const secret = from.JWT_SECRET;
  if (from.DATABASE_DIRECT_URL && !from.DATABASE_URL) {
    problems.push({
      name: "DATABASE_URL",
      got: "nothing",
      expected: "a URL, since DATABASE_DIRECT_URL is set",
    });
  }
  if (!secret && from.DATABASE_URL && (role === "serve" || role === "worker")) {
    problems.push({ name: "JWT_SECRET", got: "nothing", expected: checks.STRONG_SECRET });
  }
  if (secret && !checks.isLoopback(host) && checks.isWeakSecret(secret)) {
    const got = `a weak secret of ${secret.length} characters`;
    problems.push({ name: "JWT_SECRET", got, expected: checks.STRONG_SECRET });
  }
  return problems;
}
