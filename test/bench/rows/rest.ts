import { temporaryFolder } from "../../harness/postgres.ts";
import { type Bench, createReceiving } from "../bench.ts";
import { cpuMs, treeCpuMs } from "../processes.ts";
import { startInstance, startServe } from "../programs.ts";
import { alternate } from "../rounds.ts";
import { boundRow, type Row } from "../table.ts";
import { withDatabase } from "./workers.ts";

/** What happens once after a start is over, and PostgreSQL's idle backends have handed in their statistics. */
const settleSeconds = 15;

export async function idleRows(bench: Bench): Promise<Row[]> {
  const { idleSeconds } = bench.options;
  const instance = await startInstance(bench.binary);
  try {
    await createReceiving(bench, instance.serve.port, { endpoints: 1 });
    await Bun.sleep(settleSeconds * 1_000);
    const read = async () => {
      const [row] = await instance.sql<{ transactions: number }[]>`
        select (xact_commit + xact_rollback)::int as transactions from pg_stat_database
        where datname = current_database()`;
      return {
        transactions: row?.transactions ?? Number.NaN,
        serveMs: cpuMs(instance.serve.pid),
        postgresMs: treeCpuMs(instance.postmaster),
        atMs: performance.now(),
      };
    };
    const before = await read();
    await Bun.sleep(idleSeconds * 1_000);
    const after = await read();
    const ms = after.atMs - before.atMs;
    const percent = (key: "serveMs" | "postgresMs") => ((after[key] - before[key]) / ms) * 100;
    // Less one: the first of the bench's own two.
    const queries = ((after.transactions - before.transactions - 1) / ms) * 1_000;
    return [
      boundRow(
        "idle, processor",
        {
          value: percent("serveMs"),
          unit: "% of a core",
          note: `PostgreSQL ${percent("postgresMs").toFixed(2)} %`,
        },
        1,
      ),
      boundRow("idle, database", { value: queries, unit: "queries/s" }, 2),
    ];
  } finally {
    await instance.stop();
  }
}

export const startRows = (bench: Bench): Promise<Row[]> =>
  withDatabase(bench, async (databaseUrl) => {
    const timeOf = async (where: Parameters<typeof startServe>[1]) => {
      const serve = await startServe(bench.binary, where);
      await serve.stop();
      return { seconds: serve.readyMs / 1_000 };
    };
    const taken = await alternate(bench.options.rounds, {
      "with DATABASE_URL": () => timeOf({ databaseUrl }),
      "embedded, first time": () => timeOf({ dataDir: temporaryFolder() }),
    });
    return [
      boundRow(
        "start of serve to ready, with DATABASE_URL",
        { value: taken["with DATABASE_URL"].seconds ?? Number.NaN, unit: "s" },
        0.5,
      ),
      boundRow(
        "start of serve to ready, embedded, first time",
        { value: taken["embedded, first time"].seconds ?? Number.NaN, unit: "s" },
        2,
      ),
    ];
  });
