import { type Bench, createApp, createReceiving, limitPosts, startWarm } from "../bench.ts";
import { fillHistory } from "../fill.ts";
import type { Instance } from "../programs.ts";
import { alternate } from "../rounds.ts";
import { type Row, ratioRow } from "../table.ts";
import { accepting, delivering } from "../traffic.ts";

export async function historyRows(bench: Bench): Promise<Row[]> {
  const { history, historyShort, rounds, seconds } = bench.options;
  const instances: Instance[] = [];
  try {
    const filled = async (count: number) => {
      const instance = await startWarm(bench);
      instances.push(instance);
      const app = await createReceiving(bench, instance.serve.port, { endpoints: 1 });
      const silent = await createApp(instance.serve.port, []);
      console.error(`  filling in ${count.toLocaleString("en")} messages`);
      const owner = { appId: app.appId, endpointId: app.endpointIds[0] ?? "" };
      await fillHistory(instance.sql, instance.databaseUrl, owner, count);
      return {
        accept: () => accepting(bench, instance, silent.appId, 64),
        deliver: () => delivering(bench, instance, app, messages),
      };
    };
    const messages = Math.max(500, ((await limitPosts(bench)).perSecond ?? 0) * 0.2 * seconds);
    const [short, long] = [await filled(historyShort), await filled(history)];
    const taken = await alternate(rounds, {
      "short, accept": short.accept,
      "long, accept": long.accept,
      "short, deliver": short.deliver,
      "long, deliver": long.deliver,
    });
    return (["accept", "deliver"] as const).map((what) => {
      const sample = taken[`long, ${what}`];
      return ratioRow(
        `history of ${history.toLocaleString("en")}, ${what}`,
        { value: sample.perSecond ?? Number.NaN, unit: "/s", cpu: sample },
        { name: historyShort.toLocaleString("en"), value: taken[`short, ${what}`].perSecond ?? Number.NaN },
        { atLeast: 0.9 },
      );
    });
  } finally {
    for (const instance of instances) await instance.stop();
  }
}
