import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { defineCommand } from "citty";
import { type Config, ConfigError, environment, loadConfig } from "../src/config.ts";
import { extendCommand } from "../src/lib/cli.ts";
import { EXIT, errorSentence } from "../src/lib/cli-errors.ts";
import { printable } from "../src/lib/operator/printable.ts";
import { createSealer } from "../src/lib/sealed.ts";
import { withDatabase } from "../src/operation.ts";
import { diagnose, diskFinding, type Finding } from "../src/services/doctor.ts";

const pingTimeoutMs = 5_000;

export default extendCommand(
  defineCommand({
    meta: {
      name: "doctor",
      description:
        "Look for what is wrong with an installation, and say what to do about it: exit 1 when something fails. Changes nothing.",
    },
    args: { json: { type: "boolean", description: "Print JSON lines." } },
    async run({ args }) {
      let failed = false;
      for await (const finding of examine()) {
        failed ||= finding.state === "fail";
        process.stdout.write(`${args.json ? JSON.stringify(finding) : findingText(finding)}\n`);
      }
      return failed ? EXIT.failed : EXIT.done;
    },
  }),
  {
    sections: () => [
      {
        title: "WHAT IT LOOKS AT",
        body: [
          "  The configuration; the database: whether it answers, its version, durability, clock, connections,",
          "  long transactions; the schema; partitions for the weeks to come; workers; whether the queue moves;",
          "  breakers; leases; schedules; background tasks; the keys that secrets are encrypted with; the disk under",
          "  DATA_DIR. Run it with the environment of the serve or worker that it is about.",
        ].join("\n"),
      },
    ],
  },
);

function findingText({ check, state, found, advice }: Finding): string {
  const line = `${state.padEnd(4)}  ${check.padEnd(13)}  ${found}`;
  return printable(advice === null ? line : `${line}\n${" ".repeat(21)}${advice}`);
}

async function* examine(): AsyncGenerator<Finding> {
  let config: Config;
  try {
    config = loadConfig(environment(), "ops");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { name, got, expected } of error.problems) {
      yield {
        check: "configuration",
        state: "fail",
        found: `${name} is ${got}`,
        advice: `Expected: ${expected}.`,
      };
    }
    return;
  }
  yield* configFindings(config);
  if (config.embedded && !existsSync(config.dataDir)) {
    const advice = "Set DATA_DIR or DATABASE_URL as app serve has it, or start app serve for the first time.";
    yield { check: "database", state: "fail", found: `there is no ${config.dataDir}`, advice };
    return;
  }
  if (config.embedded) {
    const { bavail, blocks, bsize } = await statfs(config.dataDir);
    yield diskFinding({ free: bavail * bsize, total: blocks * bsize });
  }
  try {
    yield* await withDatabase("doctor", config, async ({ database, system }) => {
      const startedAt = performance.now();
      await database.ping(pingTimeoutMs);
      const found = `answers within ${Math.ceil(performance.now() - startedAt)} ms`;
      const { keyIds } = createSealer(config.encryptionKeys);
      const patient = { ...system, direct: database.direct, keyIds, embedded: config.embedded };
      const answers: Finding = { check: "database", state: "ok", found, advice: null };
      return [answers, ...(await Array.fromAsync(diagnose(patient)))];
    });
  } catch (error) {
    const advice = "Look whether PostgreSQL runs, and whether DATABASE_URL is right.";
    yield { check: "database", state: "fail", found: errorSentence(error), advice };
  }
}

function* configFindings({ embedded, jwtSecret, egressAllow }: Config): Generator<Finding> {
  const check = "configuration";
  if (!embedded && jwtSecret === undefined) {
    yield { check, state: "warn", found: "JWT_SECRET is not set", advice: "serve and worker need it." };
  }
  if (egressAllow.length > 0) {
    const found = `deliveries may reach private networks: ${egressAllow.join(", ")}`;
    yield { check, state: "warn", found, advice: "Unset EGRESS_ALLOW unless your customers may do so." };
  }
  yield { check, state: "ok", found: embedded ? "embedded PostgreSQL" : "DATABASE_URL", advice: null };
}
