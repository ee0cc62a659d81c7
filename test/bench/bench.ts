/** What the rows share: the binary, the receiver, one instance for all that need none of their own. */
import { binary } from "../harness/binary.ts";
import { inserts, load, type Receiver, signedPosts, startReceiver } from "./children.ts";
import type { Options } from "./options.ts";
import { cpuMs, treeCpuMs } from "./processes.ts";
import { type Instance, orgId, type Served, startInstance, token } from "./programs.ts";
import type { Sample } from "./rounds.ts";

export type Bench = {
  options: Options;
  binary: string;
  receiver: Receiver;
  /** Tells one load's messages from another's. */
  nextRun(): number;
  /** A warm instance, started at the first call. */
  shared(): Promise<Instance>;
  stop(): Promise<void>;
};

export const endpointSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const inFlight = 64;

/** Builds the binary unless the options name one, and starts the receiver. */
export async function createBench(options: Options): Promise<Bench> {
  if (process.platform !== "linux") throw new Error("The bench reads Linux' /proc.");
  let runs = 0;
  let shared: Promise<Instance> | null = null;
  const bench: Bench = {
    options,
    binary: options.binary ?? (await binary()),
    receiver: await startReceiver(),
    nextRun() {
      runs += 1;
      return runs;
    },
    shared() {
      shared ??= startWarm(bench);
      return shared;
    },
    async stop() {
      await (await shared)?.stop();
      bench.receiver.stop();
    },
  };
  return bench;
}

/** An instance of one's own that has compiled what it runs. */
export async function startWarm(bench: Bench): Promise<Instance> {
  const instance = await startInstance(bench.binary);
  const { port } = instance.serve;
  const { appId } = await createReceiving(bench, port, { endpoints: 1 });
  const target = { port, path: messagePath(appId), token, run: bench.nextRun() };
  const warm = await load({ ...target, connections: inFlight, messages: 5_000 });
  if (!(await bench.receiver.arrived(target.run, warm.accepted, 60)))
    throw new Error("the first messages did not arrive");
  return instance;
}

export const messagePath = (appId: string): string => `/api/v1/app/${appId}/msg`;

/** An application with endpoints at the receiver. @param kind see receiver.ts */
export async function createReceiving(
  bench: Bench,
  port: number,
  { endpoints, kind = "ok" }: { endpoints: number; kind?: string },
): Promise<{ appId: string; endpointIds: string[] }> {
  const urls = Array.from({ length: endpoints }, (_, n) => `${bench.receiver.url}/${kind}/${n}`);
  return createApp(port, urls);
}

export async function createApp(
  port: number,
  urls: string[],
): Promise<{ appId: string; endpointIds: string[] }> {
  const post = async (path: string, body: object): Promise<{ id: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as { id: string };
  };
  const app = await post("/app", { name: "bench" });
  const endpointIds: string[] = [];
  for (const url of urls)
    endpointIds.push((await post(`/app/${app.id}/endpoint`, { url, secret: endpointSecret })).id);
  return { appId: app.id, endpointIds };
}

/** Shares of a core that the receiver, and the program and its PostgreSQL if named, take while something runs. */
export async function watching(
  bench: Bench,
  instance: Served | null,
  measure: () => Promise<Sample>,
): Promise<Sample> {
  const read = async () => ({
    receiver: await bench.receiver.usage(),
    serve: instance && cpuMs(instance.serve.pid),
    postgres: instance && treeCpuMs(instance.postmaster),
  });
  const before = await read();
  const sample = await measure();
  const after = await read();
  const ms = after.receiver.atMs - before.receiver.atMs;
  return {
    ...sample,
    receiver: (after.receiver.cpuMs - before.receiver.cpuMs) / ms,
    ...(instance && {
      serve: ((after.serve ?? 0) - (before.serve ?? 0)) / ms,
      postgres: ((after.postgres ?? 0) - (before.postgres ?? 0)) / ms,
    }),
  };
}

/** L1. */
export async function limitPosts(bench: Bench): Promise<Sample> {
  const run = bench.nextRun();
  const sample = await watching(bench, null, async () => {
    const { limitSeconds: seconds } = bench.options;
    const url = `${bench.receiver.url}/ok/limit`;
    const { perSecond, cpu } = await signedPosts({ url, inFlight, secret: endpointSecret, seconds, run });
    return { perSecond, generator: cpu };
  });
  await bench.receiver.forget(run);
  return sample;
}

/** L2 with one row, L3 with more. */
export async function limitInserts(
  bench: Bench,
  instance: Instance,
  connections: number,
  rows = 1,
): Promise<Sample> {
  const { limitSeconds: seconds } = bench.options;
  const result = await inserts({ url: instance.databaseUrl, connections, rows, seconds });
  return { perSecond: result.rowsPerSecond, generator: result.cpu };
}

export { inFlight, orgId };
