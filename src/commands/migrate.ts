import { defineCommand } from "citty";
import { environment, loadConfig } from "../config.ts";
import { type Database, openDatabase, reachDatabase } from "../database.ts";
import { createLogger, type Logger, stderr } from "../lib/log.ts";
import { checkSchema, migrationStatus } from "../lib/migrator/index.ts";
import { migrations } from "../migrations.ts";
import { createRepos } from "../repos/index.ts";
import { bringUpToDate } from "../services/schema.ts";

const args = {
  json: { type: "boolean", description: "Print one JSON document on stdout; logs go to stderr." },
} as const;

const up = defineCommand({
  meta: { name: "up", description: "Apply the pending migrations. Safe to run in many places at once." },
  args,
  run: ({ args }) =>
    withDatabase(args.json, async ({ direct, sql }, log) => {
      const applied = await bringUpToDate(direct, createRepos(sql), log);
      const text = applied.length > 0 ? `applied ${applied.join(", ")}` : "nothing to apply";
      print(args.json, { applied }, [text]);
    }),
});

const status = defineCommand({
  meta: { name: "status", description: "List the migrations: applied, pending, changed or unknown." },
  args,
  run: ({ args }) =>
    withDatabase(args.json, async ({ direct }) => {
      const states = await migrationStatus({ sql: direct, migrations });
      const lines = states.map(({ name, state, appliedAt }) =>
        `${state.padEnd(8)}  ${name}  ${appliedAt?.toISOString() ?? ""}`.trim(),
      );
      print(args.json, { migrations: states }, lines);
    }),
});

const check = defineCommand({
  meta: {
    name: "check",
    description: "Exit 1 when migrations are pending or were changed; a newer schema is fine.",
  },
  args,
  run: ({ args }) =>
    withDatabase(args.json, async ({ direct }) => {
      const found = await checkSchema({ sql: direct, migrations });
      const differences = found === "ok" ? { behind: [], ahead: [], changed: [] } : found;
      const ok = differences.behind.length === 0 && differences.changed.length === 0;
      const lines = Object.entries(differences).map(([kind, names]) =>
        names.map((name) => `${kind}  ${name}`),
      );
      print(args.json, { ok, ...differences }, [...lines.flat(), ok ? "ok" : "not ok: run app migrate"]);
      return ok ? 0 : 1;
    }),
});

export default defineCommand({
  meta: { name: "migrate", description: "Bring the database's schema up to this release, or look at it." },
  default: "up",
  subCommands: { up, status, check },
});

async function withDatabase<T>(
  json: boolean | undefined,
  work: (database: Database, log: Logger) => Promise<T>,
): Promise<T> {
  const config = loadConfig(environment(), "migrate");
  const log = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    ...(json && { destination: stderr }),
  });
  const database = await openDatabase(config, log, {
    owner: "share",
    max: 1,
    applicationName: "posthorn migrate",
  });
  try {
    await reachDatabase(config, database, log);
    return await work(database, log);
  } finally {
    await database.close();
  }
}

function print(json: boolean | undefined, document: object, lines: string[]): void {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : `${lines.join("\n")}\n`);
}
