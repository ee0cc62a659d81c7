import { type Bench, createReceiving, inFlight, messagePath } from "../bench.ts";
import { load } from "../children.ts";
import { median } from "../numbers.ts";
import { sampleRss } from "../processes.ts";
import { token } from "../programs.ts";
import { boundRow, type Row, ratioRow } from "../table.ts";
import { complainOf } from "../traffic.ts";

export const rssMaxMb = 250;
const drainSecondsMax = 900;

/** Its last third against the middle one: the first is the way up. */
export function flatRow(what: string, samples: number[]): Row {
  const third = Math.floor(samples.length / 3);
  const [middle, last] = [median(samples.slice(third, 2 * third)), median(samples.slice(2 * third))];
  return ratioRow(
    what,
    { value: last, unit: "MB, last third" },
    { name: "middle third", value: middle },
    { atMost: 1.1 },
  );
}

/** Of one load as long as all rounds of another row together. */
export async function memoryRows(bench: Bench): Promise<Row[]> {
  const instance = await bench.shared();
  const { port, pid } = instance.serve;
  const { appId } = await createReceiving(bench, port, { endpoints: 1 });
  const seconds = bench.options.seconds * bench.options.rounds;
  const stopSampling = sampleRss(pid);
  const run = bench.nextRun();
  const result = await load({ port, path: messagePath(appId), token, run, connections: inFlight, seconds });
  const samples = stopSampling();
  complainOf(result);
  if (!(await bench.receiver.arrived(run, result.accepted, drainSecondsMax)))
    throw new Error(`not all of ${result.accepted} messages arrived within ${drainSecondsMax} s`);
  await bench.receiver.forget(run);
  return [
    boundRow("memory of serve under load", { value: Math.max(...samples), unit: "MB" }, rssMaxMb),
    flatRow("memory of serve under load, flat", samples),
  ];
}
