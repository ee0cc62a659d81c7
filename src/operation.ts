import { type Config, environment, loadConfig } from "./config.ts";
import { type Database, openDatabase, reachDatabase, requireSchema } from "./database.ts";
import { UsageError } from "./lib/cli-errors.ts";
import { hasCluster } from "./lib/embedded-postgres/index.ts";
import { createLogger, type Logger, stderr } from "./lib/log.ts";
import { type Job, type JobFlags, runJob } from "./lib/operator/job.ts";
import { operatorName } from "./lib/operator/name.ts";
import type { Counts } from "./lib/operator/report.ts";
import { createRepos, type Repos } from "./repos/index.ts";
import { type Actor, type ActorContext, actorName, type OperatorContext } from "./services/context.ts";

export type OpenOperation = {
  config: Config;
  log: Logger;
  database: Database;
  repos: Repos;
  /** For work across tenants. */
  system: OperatorContext;
  /** For work in a tenant, which the operator is free to choose. */
  contextOf(orgId: string): ActorContext;
};
export type Operation = OpenOperation & { job: Job };

/**
 * What every script does around its work: reads the configuration, opens the database that a `serve` beside it may
 * use too, and ends with a summary. Logs go to stderr.
 * @returns the exit code, see `runJob`
 */
export function runOperation(
  name: string,
  flags: JobFlags,
  work: (operation: Operation) => Promise<Counts>,
): Promise<number> {
  return openOperation(name, (operation) => runJob(flags, (job) => work({ job, ...operation })));
}

/** The same around work that changes nothing, and prints what it has found itself. */
export function openOperation<T>(name: string, work: (operation: OpenOperation) => Promise<T>): Promise<T> {
  return withDatabase(name, loadConfig(environment(), "ops"), async (operation) => {
    await requireSchema(operation.database, operation.log);
    return work(operation);
  });
}

/** The same with a configuration that was read already, whatever the database's schema. */
export async function withDatabase<T>(
  name: string,
  config: Config,
  work: (operation: OpenOperation) => Promise<T>,
): Promise<T> {
  if (config.embedded && !hasCluster(config.dataDir)) {
    throw new UsageError(
      `There is no database in DATA_DIR ${config.dataDir}: app serve makes it at its first start. Set DATA_DIR, or DATABASE_URL, as serve has it.`,
    );
  }
  const log = createLogger({ level: config.logLevel, format: config.logFormat, destination: stderr });
  const database = await openDatabase(config, log, {
    owner: "share",
    max: 2,
    applicationName: `posthorn ops ${name}`,
  });
  try {
    await reachDatabase(config, database, log);
    const repos = createRepos(database.sql);
    const actorOf = (orgId: string): Actor => ({ kind: "operator", orgId, name: operatorName() });
    const contextOf = (orgId: string): ActorContext => ({ actor: actorOf(orgId), orgId, repos });
    const system = { actor: actorName(actorOf("")), repos };
    return await work({ config, log, database, repos, system, contextOf });
  } finally {
    await database.close();
  }
}
