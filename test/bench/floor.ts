/**
 * `bun run bench floor [flags]`: what accepting reaches beside the least that this stack can do (floor-server.ts), and
 * beside L2. Flags as in options.ts; `--only` means nothing here.
 */
import { binary } from "../harness/binary.ts";
import { killTestPostgres } from "../harness/postgres.ts";
import { type Bench, createApp, createBench, limitInserts } from "./bench.ts";
import { startFloor, startReceiver } from "./children.ts";
import { readOptions } from "./options.ts";
import type { Instance } from "./programs.ts";
import { alternate, type Sample } from "./rounds.ts";
import { accepting } from "./traffic.ts";

/** One comes last: by then everything is compiled. */
const connectionsTried = [64, 256, 1];

process.on("exit", killTestPostgres);
const options = readOptions(process.argv.slice(2));
const bench = createBench({
  options,
  binary: options.binary ?? (await binary()),
  receiver: await startReceiver(),
});
await compare(bench, await bench.shared());
await bench.stop();
bench.receiver.stop();
process.exit(0);

async function compare(bench: Bench, instance: Instance): Promise<void> {
  const { appId } = await createApp(instance.serve.port, []);
  const onFloor = async (commits: "alone" | "shared"): Promise<Instance> => ({
    ...instance,
    serve: await startFloor({ url: instance.databaseUrl, commits }),
  });
  const [alone, shared] = [await onFloor("alone"), await onFloor("shared")];
  for (const connections of connectionsTried) {
    const taken = await alternate(bench.options.rounds, {
      // A pool of more connections than PostgreSQL has places for tells nothing.
      L2: () => limitInserts(bench, instance, Math.min(connections, 64)),
      "a commit each": () => accepting(bench, alone, appId, connections),
      "shared commits": () => accepting(bench, shared, appId, connections),
      posthorn: () => accepting(bench, instance, appId, connections),
    });
    const limit = taken.L2.perSecond ?? Number.NaN;
    for (const [name, sample] of Object.entries(taken)) console.log(lineOf(connections, name, sample, limit));
  }
  for (const { serve } of [alone, shared]) await serve.stop();
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
