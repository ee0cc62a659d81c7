/** Loads of several kinds, and what came of them. */
import { type Bench, inFlight, messagePath, watching } from "./bench.ts";
import { load } from "./children.ts";
import type { LoadResult } from "./load.ts";
import { type Instance, type Served, token } from "./programs.ts";
import type { Sample } from "./rounds.ts";

const warmSeconds = 0.5;

/** 202s a second of an application that nobody listens to, or whoever does. */
export const accepting = (
  bench: Bench,
  instance: Served,
  appId: string,
  connections: number,
): Promise<Sample> =>
  watching(bench, instance, async () => {
    const { seconds } = bench.options;
    const run = bench.nextRun();
    const { port } = instance.serve;
    const result = await load({
      port,
      path: messagePath(appId),
      token,
      run,
      connections,
      seconds,
      warmSeconds,
    });
    complainOf(result);
    return { perSecond: result.perSecond, p50: result.p50, p99: result.p99, generator: result.cpu };
  });

/** Deliveries a second, from the first message sent until the last delivery has arrived. */
export const delivering = (
  bench: Bench,
  instance: Instance,
  app: { appId: string; endpointIds: string[] },
  messages: number,
): Promise<Sample> =>
  watching(bench, instance, async () => {
    const run = bench.nextRun();
    const { port } = instance.serve;
    const target = { port, path: messagePath(app.appId), token, run };
    const result = await load({ ...target, connections: inFlight, messages: Math.ceil(messages) });
    complainOf(result);
    const deliveries = result.accepted * app.endpointIds.length;
    await allArrived(bench, run, deliveries, 60 + deliveries / 100);
    const report = await bench.receiver.report(run);
    await bench.receiver.forget(run);
    return {
      perSecond: (deliveries * 1_000) / (report.lastMs - result.startedMs),
      accepted: result.perSecond,
      repeated: report.repeated,
      generator: result.cpu,
    };
  });

/** Latencies at a rate that is far from the limit: of the 202, and end to end. */
export const steady = (
  bench: Bench,
  instance: Instance,
  appId: string,
  { rate, seconds }: { rate: number; seconds: number },
): Promise<Sample> =>
  watching(bench, instance, async () => {
    const run = bench.nextRun();
    const { port } = instance.serve;
    const target = { port, path: messagePath(appId), token, run };
    const result = await load({ ...target, connections: inFlight, rate, seconds });
    complainOf(result);
    await allArrived(bench, run, result.accepted, 60);
    const { p50, p99 } = await bench.receiver.report(run);
    await bench.receiver.forget(run);
    return { p50, p99, acceptP50: result.p50, acceptP99: result.p99, generator: result.cpu };
  });

async function allArrived(bench: Bench, run: number, count: number, secondsMax: number): Promise<void> {
  if (await bench.receiver.arrived(run, count, secondsMax)) return;
  const { arrived } = await bench.receiver.report(run);
  throw new Error(`${arrived} of ${count} deliveries arrived within ${Math.round(secondsMax)} s`);
}

/** A refusal is none of the figures, so nobody should miss it. */
export function complainOf({ refused, accepted, firstRefusal }: LoadResult): void {
  if (refused > 0) console.error(`  ${refused} refused beside ${accepted} accepted: ${firstRefusal}`);
}
