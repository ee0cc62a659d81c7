/**
 * `bun run bench`: every figure that Posthorn must reach, beside the limit that the machine sets, measured in the same
 * run: medians of alternating rounds, of the compiled executable, with its defaults and fsync on. options.ts has the
 * flags. The generator, the receiver and the loops of the limits are processes of their own.
 */
import { join } from "node:path";
import { killTestPostgres } from "../harness/postgres.ts";
import { type Bench, createBench } from "./bench.ts";
import { compareWithFloor } from "./floor.ts";
import { type GroupName, type Options, readOptions, usage } from "./options.ts";
import { acceptRows } from "./rows/accept.ts";
import { endToEndRows, fanOutRows, steadyRows } from "./rows/deliver.ts";
import { historyRows } from "./rows/history.ts";
import { memoryRows } from "./rows/memory.ts";
import { backlogRows, hangRows } from "./rows/neighbours.ts";
import { idleRows, startRows } from "./rows/rest.ts";
import { workersRows } from "./rows/workers.ts";
import { type Row, tableText } from "./table.ts";

const groups: Record<GroupName, (bench: Bench) => Promise<Row[]>> = {
  accept: acceptRows,
  e2e: endToEndRows,
  fanout: fanOutRows,
  steady: steadyRows,
  hang: hangRows,
  backlog: backlogRows,
  history: historyRows,
  workers: workersRows,
  memory: memoryRows,
  idle: idleRows,
  start: startRows,
};

async function measure(options: Options): Promise<boolean> {
  const bench = await createBench(options);
  const rows: Row[] = [];
  const failed: string[] = [];
  for (const name of options.only) {
    console.error(name);
    try {
      rows.push(...(await groups[name](bench)));
    } catch (error) {
      // The other rows are worth having still.
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      console.error(`  ${failed.at(-1)}`);
    }
  }
  await bench.stop();
  console.log(`\n${tableText(rows)}`);
  console.log(
    `medians of ${options.rounds} rounds; cpu in shares of a core, of ${navigator.hardwareConcurrency}`,
  );
  for (const failure of failed) console.log(`not measured: ${failure}`);
  if (options.json !== null)
    await Bun.write(options.json, JSON.stringify({ options, rows, failed }, null, 2));
  return failed.length === 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.on("exit", killTestPostgres);

const [first = "", ...others] = process.argv.slice(2);
if (first === "--help") {
  console.log(usage);
} else if (["runner", "egress", "lists"].includes(first)) {
  const script = join(import.meta.dir, `${first}.ts`);
  process.exitCode = await Bun.spawn([process.execPath, script, ...others], {
    stdio: ["inherit", "inherit", "inherit"],
  }).exited;
} else if (first === "floor") {
  const bench = await createBench(optionsOrExit(others));
  await compareWithFloor(bench);
  await bench.stop();
  process.exit(0);
} else {
  process.exit((await measure(optionsOrExit(process.argv.slice(2)))) ? 0 : 1);
}

function optionsOrExit(args: string[]): Options {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
