import { type Bench, createReceiving, limitPosts } from "../bench.ts";
import { alternate } from "../rounds.ts";
import { type Row, ratioRow } from "../table.ts";
import { delivering, steady } from "../traffic.ts";

/** So that a row takes about its seconds if it reaches what it must. */
const messagesFor = (limit: number, share: number, seconds: number): number =>
  Math.max(500, limit * share * seconds);

/** @param what.share of L1 that must be reached */
async function rowOf(bench: Bench, what: { name: string; endpoints: number; share: number }): Promise<Row[]> {
  const { name, endpoints, share } = what;
  const instance = await bench.shared();
  const app = await createReceiving(bench, instance.serve.port, { endpoints });
  let limit = 0;
  const taken = await alternate(bench.options.rounds, {
    L1: async () => {
      const sample = await limitPosts(bench);
      limit = sample.perSecond ?? 0;
      return sample;
    },
    [name]: () =>
      delivering(bench, instance, app, messagesFor(limit, share, bench.options.seconds) / endpoints),
  });
  const [l1, sample] = [taken.L1 ?? {}, taken[name] ?? {}];
  console.log(
    `limits: L1 ${Math.round(l1.perSecond ?? 0).toLocaleString("en")} posts/s ` +
      `(loop ${l1.generator?.toFixed(2)} cpu, receiver ${l1.receiver?.toFixed(2)})`,
  );
  const figure = {
    value: sample.perSecond ?? Number.NaN,
    unit: "deliveries/s",
    cpu: sample,
    note: `accepted ${Math.round(sample.accepted ?? 0).toLocaleString("en")}/s, ${sample.repeated} repeated`,
  };
  return [ratioRow(name, figure, { name: "L1", value: l1.perSecond ?? Number.NaN }, { atLeast: share })];
}

export const endToEndRows = (bench: Bench): Promise<Row[]> =>
  rowOf(bench, { name: "end to end, 1 endpoint", endpoints: 1, share: 0.2 });

export const fanOutRows = (bench: Bench): Promise<Row[]> =>
  rowOf(bench, { name: "fan-out 10", endpoints: 10, share: 0.3 });

export async function steadyRows(bench: Bench): Promise<Row[]> {
  const instance = await bench.shared();
  const { appId } = await createReceiving(bench, instance.serve.port, { endpoints: 1 });
  const { steady: sample } = await alternate(bench.options.rounds, {
    steady: () => steady(bench, instance, appId, { rate: 200, seconds: bench.options.seconds }),
  });
  const accept = { name: "accept p50", value: sample.acceptP50 ?? Number.NaN };
  const row = (quantile: "p50" | "p99", atMost: number, note?: string): Row =>
    ratioRow(
      `steady 200/s, end to end ${quantile}`,
      { value: sample[quantile] ?? Number.NaN, unit: "ms", cpu: sample, ...(note !== undefined && { note }) },
      accept,
      { atMost },
    );
  return [row("p50", 2), row("p99", 5, `accept p99 ${sample.acceptP99?.toFixed(1)} ms`)];
}
