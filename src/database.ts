import postgres from "postgres";
import type { Config } from "./config.ts";
import {
  type EmbeddedPostgres,
  postgresOptions,
  socketUrl,
  startEmbeddedPostgres,
} from "./lib/embedded-postgres/index.ts";
import type { Logger } from "./lib/log.ts";

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
  sql: postgres.Sql;
  /** Past a pooler: for LISTEN, session locks and migrations. A few connections, opened when used. */
  direct: postgres.Sql;
  /** Null with `DATABASE_URL`. */
  embedded: EmbeddedPostgres | null;
  /** Ends the connections, what runs on them within 5 s, then gives embedded PostgreSQL up. Safe to call twice. */
  close(): Promise<void>;
};

const DIRECT_CONNECTIONS_MAX = 4;
const CLOSE_WAIT_S = 5;

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
  let closing: Promise<void> | null = null;
  async function close(): Promise<void> {
    await Promise.all([sql.end({ timeout: CLOSE_WAIT_S }), direct.end({ timeout: CLOSE_WAIT_S })]);
    await embedded?.stop();
  }
  return {
    sql,
    direct,
    embedded,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** A pool for a URL, of TCP or of a Unix socket (`?host=/folder`). It connects at the first query. */
export function connect(
  url: string,
  options: { max: number; prepare: boolean; applicationName: string },
): postgres.Sql {
  const { applicationName, ...rest } = options;
  const common = {
    ...rest,
    connect_timeout: 10,
    // Shorter than what firewalls and poolers commonly forget a silent connection after.
    idle_timeout: 240,
    onnotice: () => {},
    connection: { application_name: applicationName },
  };
  const socket = postgresOptions(url);
  return socket ? postgres({ ...socket, ...common }) : postgres(url, common);
}
