import { type Bench, createApp, limitInserts } from "./bench.ts";
import { startFloor } from "./children.ts";
import { alternate, type Sample } from "./rounds.ts";
import { accepting } from "./traffic.ts";

/** One comes last: by then everything is compiled. */
const connectionsTried = [64, 256, 1];
/** More of them than PostgreSQL has places for would tell nothing. */
const limitConnectionsMax = 64;

/**
 * `bun run bench floor [flags]`: prints what accepting reaches beside the least that this stack can do
 * (floor-server.ts), and beside L2. Flags as in options.ts; `--only` means nothing here.
 */
export async function compareWithFloor(bench: Bench): Promise<void> {
  const instance = await bench.shared();
  const { databaseUrl: url, postmaster } = instance;
  const { appId } = await createApp(instance.serve.port, []);
  const alone = await startFloor({ url, commits: "alone" });
  const shared = await startFloor({ url, commits: "shared" });
  for (const connections of connectionsTried) {
    const taken = await alternate(bench.options.rounds, {
      L2: () => limitInserts(bench, instance, Math.min(connections, limitConnectionsMax)),
      "a commit each": () => accepting(bench, { serve: alone, postmaster }, appId, connections),
      "shared commits": () => accepting(bench, { serve: shared, postmaster }, appId, connections),
      posthorn: () => accepting(bench, instance, appId, connections),
    });
    const limit = taken.L2.perSecond ?? Number.NaN;
    for (const [name, sample] of Object.entries(taken)) console.log(lineOf(connections, name, sample, limit));
  }
  alone.stop();
  shared.stop();
}

function lineOf(connections: number, name: string, sample: Sample, limit: number): string {
  const { perSecond = Number.NaN, serve, postgres, generator = 0 } = sample;
  const each = (share: number) => `${Math.round((share * 1e6) / perSecond)}`;
  const costs =
    serve === undefined
      ? ""
      : `; µs of processor time each: server ${each(serve)}, PostgreSQL ${each(postgres ?? 0)}, generator ${each(generator)}`;
  const rate = Math.round(perSecond).toLocaleString("en");
  return `${connections} connections, ${name}: ${rate}/s, ${(perSecond / limit).toFixed(2)} x L2${costs}`;
}
