import postgres from "postgres";
import type { Config } from "./config.ts";
import { DeadlineError, statementTimeoutMs, withDeadline } from "./lib/deadline.ts";
import {
  type EmbeddedPostgres,
  postgresOptions,
  socketUrl,
  startEmbeddedPostgres,
} from "./lib/embedded-postgres/index.ts";
import type { Logger } from "./lib/log.ts";
import { checkSchema } from "./lib/migrator/index.ts";
import { arrayTypes } from "./lib/postgres-arrays.ts";
import { isStartingUp, isTooManyConnections } from "./lib/postgres-errors.ts";
import { migrations } from "./migrations.ts";

type DatabaseConfig = Pick<Config, "databaseUrl" | "databaseDirectUrl" | "databasePrepare" | "dataDir">;

type DatabaseOptions = {
  /** With embedded PostgreSQL: whether this is the one `serve`, or a command beside it or alone. */
  owner: "serve" | "share";
  /** Connections of the pool at most. @default 10 */
  max?: number;
  /** What `pg_stat_activity` shows. @default "posthorn" */
  applicationName?: string;
};

export type Database = {
  /** For the repos: drizzle takes it over. */
  sql: postgres.Sql;
  /** For the hot statements: see `engineSettings`. */
  engine: postgres.Sql;
  /** Past a pooler: for LISTEN, session locks and migrations. A few connections, opened when used. */
  direct: postgres.Sql;
  /** Resolves when the server answers, on a connection that nothing else waits for. */
  ping(timeoutMs: number): Promise<void>;
  /** Drops every connection, for a server that has gone silent: what is under way fails, and the next query connects. */
  cut(): void;
  /** Null with `DATABASE_URL`. */
  embedded: EmbeddedPostgres | null;
  /** Ends the connections, what runs on them within 5 s, then gives embedded PostgreSQL up. Safe to call twice. */
  close(): Promise<void>;
};

const DIRECT_CONNECTIONS_MAX = 4;
/** Two commits of the intake, one of the recorder, a claim, and what comes now and then. */
const ENGINE_CONNECTIONS_MAX = 6;

/**
 * The hot statements go through indexes whatever the statistics say: their plans are kept, and one made while the
 * queue was empty would read it from end to end once it is long. A pooler refuses such parameters; but then nothing
 * is prepared, and every statement is planned with the sizes of its own moment. An empty table's indexes are all the
 * same to the planner: where the wrong one would stay, OFFSET 0 keeps a look-up to the key that it names.
 */
export const engineSettings = {
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  // Planning one anew for a single message costs four times what running it does.
  plan_cache_mode: "force_generic_plan",
  statement_timeout: String(statementTimeoutMs),
};

/** For connecting and a first answer: what listens there may be no PostgreSQL. */
const REACH_MS = 10_000;
/** Recovery after a crash takes as long as there is log to replay; who has more restarts us. */
const STARTING_UP_WAIT_MS = 60_000;
const STARTING_UP_RETRY_MS = 500;
const CLOSE_WAIT_S = 5;
const RECONNECT_WAIT_MAX_S = 0.5;

/**
 * The database that the configuration names, or embedded PostgreSQL, started and ready. `DATABASE_URL` isn't
 * connected to before the first query. The schema is not looked at.
 * @throws what `startEmbeddedPostgres` throws.
 */
export async function openDatabase(
  config: DatabaseConfig,
  log: Logger,
  options: DatabaseOptions,
): Promise<Database> {
  const { owner, max = 10, applicationName = "posthorn" } = options;
  const embedded = config.databaseUrl
    ? null
    : await startEmbeddedPostgres({ dataDir: config.dataDir, log, owner });
  const url = embedded ? socketUrl(embedded) : (config.databaseUrl ?? "");
  const sql = connect(url, { max, prepare: config.databasePrepare, applicationName });
  const direct = connect(config.databaseDirectUrl ?? url, {
    max: DIRECT_CONNECTIONS_MAX,
    prepare: config.databaseDirectUrl ? true : config.databasePrepare,
    applicationName,
  });
  const engine = connect(url, {
    max: ENGINE_CONNECTIONS_MAX,
    prepare: config.databasePrepare,
    applicationName,
    ...(config.databasePrepare && { settings: engineSettings }),
  });
  const openPing = () => connect(url, { max: 1, prepare: false, applicationName });
  let pings = openPing();
  async function ping(timeoutMs: number): Promise<void> {
    const asked = pings;
    try {
      await withDeadline(asked`select 1`, timeoutMs);
    } catch (error) {
      // It is there, and has a place for those that are in.
      if (isTooManyConnections(error)) return;
      // What was silent once may be so for as long as TCP allows.
      if (error instanceof DeadlineError && closing === null) {
        pings = openPing();
        await asked.end({ timeout: 0 });
      }
      throw error;
    }
  }
  let closing: Promise<void> | null = null;
  async function close(): Promise<void> {
    await Promise.all([sql, engine, direct, pings].map((pool) => pool.end({ timeout: CLOSE_WAIT_S })));
    await embedded?.stop();
  }
  return {
    sql,
    engine,
    direct,
    ping,
    cut() {
      for (const pool of [sql, engine, direct]) pool.cut();
    },
    embedded,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/**
 * Makes sure that the server which the configuration names answers, and waits for one that is starting up, for a minute.
 * @throws Error that names the variable
 */
export async function reachDatabase(
  config: Pick<Config, "databaseDirectUrl">,
  database: Database,
  log: Logger,
  withinMs = REACH_MS,
): Promise<void> {
  if (database.embedded) return;
  const { sql, direct } = database;
  const directVariable = config.databaseDirectUrl === undefined ? "DATABASE_URL" : "DATABASE_DIRECT_URL";
  try {
    // Side by side: to make a connection takes the server longer than to answer.
    await Promise.all([
      reach("DATABASE_URL", () => withDeadline(sql`select 1`, withinMs), log),
      reach(directVariable, () => withDeadline(direct`select 1`, withinMs), log),
    ]);
  } catch (error) {
    // What has not answered is not waited for at the end either.
    database.cut();
    throw error;
  }
}

async function reach(variable: string, ask: () => Promise<unknown>, log: Logger): Promise<void> {
  const deadline = performance.now() + STARTING_UP_WAIT_MS;
  for (let reported = false; ; reported = true) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!isStartingUp(error) || performance.now() > deadline) {
        throw new Error(`No PostgreSQL to use at ${variable}`, { cause: error });
      }
      if (!reported) log.info("PostgreSQL is starting up: waiting for it");
      await Bun.sleep(STARTING_UP_RETRY_MS);
    }
  }
}

/** A pool for a URL, of TCP or of a Unix socket (`?host=/folder`). It connects at the first query. */
export function connect(
  url: string,
  options: { max: number; prepare: boolean; applicationName: string; settings?: Record<string, string> },
): postgres.Sql {
  const { applicationName, settings, ...rest } = options;
  const common = {
    ...rest,
    connect_timeout: 10,
    // Shorter than what firewalls and poolers commonly forget a silent connection after.
    idle_timeout: 240,
    onnotice: () => {},
    // The driver's own goes up to 20 s, over all connections together: the database would be back long before we are.
    backoff: (retries: number) => Math.min(0.02 * 2 ** retries, RECONNECT_WAIT_MAX_S),
    fetch_types: false,
    types: arrayTypes,
    connection: { application_name: applicationName, ...settings },
  };
  const socket = postgresOptions(url);
  return socket ? postgres({ ...socket, ...common }) : postgres(url, common);
}

/**
 * A schema newer than this release is what it meets while the next one is being rolled out: it says so and goes on.
 * @throws Error with the command to run when the schema is older than this release, or was changed under it
 */
export async function requireSchema(database: Database, log: Logger): Promise<void> {
  const found = await checkSchema({ sql: database.direct, migrations });
  if (found === "ok") return;
  if (found.changed.length > 0)
    throw new Error(`applied migrations were changed since: ${found.changed.join(", ")}`);
  if (found.behind.length > 0) {
    throw new Error(
      `the database's schema is too old (missing ${found.behind.join(", ")}): run \`app migrate\` first`,
    );
  }
  log.warn({ migrations: found.ahead }, "the database's schema is newer than this release");
}
