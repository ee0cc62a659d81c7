import { type Bench, createApp, createReceiving, limitPosts, messagePath, startWarm } from "../bench.ts";
import { load } from "../children.ts";
import { fillBacklog } from "../fill.ts";
import { sampleRss } from "../processes.ts";
import { type Instance, token } from "../programs.ts";
import { alternate } from "../rounds.ts";
import { boundRow, type Row, ratioRow } from "../table.ts";
import { complainOf, delivering, steady } from "../traffic.ts";
import { flatRow, rssMaxMb } from "./memory.ts";

/** Two instances, so that what is left of a round with a bad neighbour is in none without. */
async function withPair(bench: Bench, measure: (without: Instance, withIt: Instance) => Promise<Row[]>) {
  const without = await startWarm(bench);
  try {
    const withIt = await startWarm(bench);
    try {
      return await measure(without, withIt);
    } finally {
      await withIt.stop();
    }
  } finally {
    await without.stop();
  }
}

export const hangRows = (bench: Bench): Promise<Row[]> =>
  withPair(bench, async (without, withIt) => {
    const { hang: kind, hangSeconds: seconds, rounds } = bench.options;
    const rate = 50;
    const good = async (instance: Instance) => {
      const { appId } = await createReceiving(bench, instance.serve.port, { endpoints: 1 });
      return () => steady(bench, instance, appId, { rate, seconds });
    };
    const [goodAlone, goodBeside] = [await good(without), await good(withIt)];
    const taken = await alternate(rounds, {
      without: goodAlone,
      // A new one each round: nobody knows yet that it hangs.
      with: async () => {
        const { port } = withIt.serve;
        const { appId } = await createReceiving(bench, port, { endpoints: 1, kind });
        const hanging = { port, path: messagePath(appId), token, run: bench.nextRun(), connections: 64 };
        const [sample, bad] = await Promise.all([goodBeside(), load({ ...hanging, rate, seconds })]);
        complainOf(bad);
        await bench.receiver.forget(hanging.run);
        return sample;
      },
    });
    return [
      ratioRow(
        `one endpoint that hangs (${kind}), the other's p99`,
        { value: taken.with.p99 ?? Number.NaN, unit: "ms", cpu: taken.with },
        { name: "without", value: taken.without.p99 ?? Number.NaN },
        { atMost: 2 },
      ),
    ];
  });

export const backlogRows = (bench: Bench): Promise<Row[]> =>
  withPair(bench, async (without, withIt) => {
    const { backlog, rounds, seconds } = bench.options;
    const dead = await createApp(withIt.serve.port, [`http://127.0.0.1:${closedPort()}/dead`]);
    const owner = { appId: dead.appId, endpointId: dead.endpointIds[0] ?? "" };
    console.error(`  filling in ${backlog.toLocaleString("en")} due deliveries`);
    await fillBacklog(withIt.sql, owner, backlog);
    const messages = Math.max(500, ((await limitPosts(bench)).perSecond ?? 0) * 0.2 * seconds);
    const stopSampling = sampleRss(withIt.serve.pid);
    const good = async (instance: Instance) => {
      const app = await createReceiving(bench, instance.serve.port, { endpoints: 1 });
      return {
        fast: () => delivering(bench, instance, app, messages),
        slow: () => steady(bench, instance, app.appId, { rate: 200, seconds }),
      };
    };
    const [alone, beside] = [await good(without), await good(withIt)];
    const taken = await alternate(rounds, {
      "without, throughput": alone.fast,
      "with, throughput": beside.fast,
      "without, latency": alone.slow,
      "with, latency": beside.slow,
    });
    const memory = stopSampling();
    const [row] = await withIt.sql<{ left: number }[]>`
      select count(*)::int as left from deliveries where endpoint_id = ${owner.endpointId}`;
    const name = `${backlog.toLocaleString("en")} due of a dead endpoint`;
    const [fast, slow] = [taken["with, throughput"], taken["with, latency"]];
    return [
      ratioRow(
        `${name}, the other's throughput`,
        {
          value: fast.perSecond ?? Number.NaN,
          unit: "deliveries/s",
          cpu: fast,
          note: `${row?.left.toLocaleString("en")} still waiting`,
        },
        { name: "without", value: taken["without, throughput"].perSecond ?? Number.NaN },
        { atLeast: 0.8 },
      ),
      ratioRow(
        `${name}, the other's p99`,
        { value: slow.p99 ?? Number.NaN, unit: "ms", cpu: slow },
        { name: "without", value: taken["without, latency"].p99 ?? Number.NaN },
        { atMost: 2 },
      ),
      boundRow(`${name}, memory of serve`, { value: Math.max(...memory), unit: "MB" }, rssMaxMb),
      flatRow(`${name}, memory flat`, memory),
    ];
  });

/** A port that nobody listens on. */
function closedPort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  probe.stop(true);
  return probe.port;
}
