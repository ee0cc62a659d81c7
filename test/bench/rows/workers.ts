import { type Bench, createReceiving, inFlight, messagePath } from "../bench.ts";
import { load } from "../children.ts";
import { migrate, startPostgres, startServe, startWorker, token } from "../programs.ts";
import { alternate, type Sample } from "../rounds.ts";
import { type Row, ratioRow } from "../table.ts";
import { complainOf } from "../traffic.ts";

/** What one worker can have under way at an endpoint by its defaults, and what that makes with 50 ms each. */
const perWorkerSecond = 32 / 0.05;

/** A PostgreSQL that the bench itself holds, migrated: for processes with DATABASE_URL. */
export async function withDatabase<Result>(
  bench: Bench,
  use: (databaseUrl: string) => Promise<Result>,
): Promise<Result> {
  const server = await startPostgres();
  try {
    await migrate(bench.binary, server.databaseUrl);
    return await use(server.databaseUrl);
  } finally {
    await server.stop();
  }
}

export const workersRows = (bench: Bench): Promise<Row[]> =>
  withDatabase(bench, async (databaseUrl) => {
    const serve = await startServe(bench.binary, { databaseUrl });
    const { appId } = await createReceiving(bench, serve.port, { endpoints: 1, kind: "slow" });
    const measure = async (count: number): Promise<Sample> => {
      const workers = [];
      for (let n = 0; n < count; n += 1) workers.push(await startWorker(bench.binary, databaseUrl));
      try {
        const run = bench.nextRun();
        const target = { port: serve.port, path: messagePath(appId), token, run };
        const messages = Math.ceil(perWorkerSecond * count * bench.options.seconds);
        const result = await load({ ...target, connections: inFlight, messages });
        complainOf(result);
        if (!(await bench.receiver.arrived(run, result.accepted, 60 + messages / 50)))
          throw new Error(`not all of ${result.accepted} messages arrived`);
        const { middlePerSecond, repeated } = await bench.receiver.report(run);
        await bench.receiver.forget(run);
        return {
          perSecond: middlePerSecond,
          repeated,
          ofCeiling: middlePerSecond / (perWorkerSecond * count),
        };
      } finally {
        for (const worker of workers) await worker.stop();
      }
    };
    try {
      const taken = await alternate(bench.options.rounds, { one: () => measure(1), two: () => measure(2) });
      const figure = {
        value: taken.two.perSecond ?? Number.NaN,
        unit: "deliveries/s",
        note: `${((taken.two.ofCeiling ?? 0) * 100).toFixed(0)} % of what 32 in flight each allow`,
      };
      const one = { name: "one", value: taken.one.perSecond ?? Number.NaN };
      return [ratioRow("two workers, receivers that take 50 ms", figure, one, { atLeast: 1.9 })];
    } finally {
      await serve.stop();
    }
  });
