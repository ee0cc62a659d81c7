import { type Bench, createApp, limitInserts } from "../bench.ts";
import { alternate } from "../rounds.ts";
import { type Row, ratioRow } from "../table.ts";
import { accepting } from "../traffic.ts";

/** L3's rows in an INSERT. */
const insertRows = 200;

export async function acceptRows(bench: Bench): Promise<Row[]> {
  const instance = await bench.shared();
  const { appId } = await createApp(instance.serve.port, []);
  const taken = await alternate(bench.options.rounds, {
    "L2(1)": () => limitInserts(bench, instance, 1),
    "accept 1": () => accepting(bench, instance, appId, 1),
    "L2(16)": () => limitInserts(bench, instance, 16),
    "L2(64)": () => limitInserts(bench, instance, 64),
    "accept 64": () => accepting(bench, instance, appId, 64),
    "accept 256": () => accepting(bench, instance, appId, 256),
    L3: () => limitInserts(bench, instance, 1, insertRows),
  });
  const row = (connections: 1 | 64 | 256, of: "L2(1)" | "L2(64)", atLeast: number): Row => {
    const sample = taken[`accept ${connections}`];
    return ratioRow(
      `accept, no endpoint, ${connections} connection${connections === 1 ? "" : "s"}`,
      {
        value: sample.perSecond ?? Number.NaN,
        unit: "/s",
        cpu: sample,
        note: `p50 ${sample.p50?.toFixed(1)} p99 ${sample.p99?.toFixed(1)} ms`,
      },
      { name: of, value: taken[of].perSecond ?? Number.NaN },
      { atLeast },
    );
  };
  const limits = (["L2(1)", "L2(16)", "L2(64)", "L3"] as const).map((name) => {
    const { perSecond, generator } = taken[name];
    return `${name} ${Math.round(perSecond ?? 0).toLocaleString("en")} rows/s (client ${generator?.toFixed(2)} cpu)`;
  });
  console.log(`limits: ${limits.join(", ")}`);
  return [row(64, "L2(64)", 3), row(256, "L2(64)", 5), row(1, "L2(1)", 0.8)];
}
