/**
 * `bun test/bench/runner.ts [jobs] [groups]`: what a job costs in the hot path's runner (src/lib/lanes.ts) and in a
 * memory-only bunqueue, when the job itself does nothing but wait for the next turn of the event loop.
 */
import { Queue, shutdownManager, Worker } from "bunqueue/client";
import { Lanes } from "../../src/lib/lanes.ts";

const jobsCount = Number(process.argv[2] ?? 50_000);
const groupsCount = Number(process.argv[3] ?? 100);
const lonesCount = 200;
const concurrency = 256;
const work = () => new Promise<void>((resolve) => setImmediate(resolve));
const groupOf = (job: number) => `endpoint-${job % groupsCount}`;

type Runner = { name: string; push(job: number): void; stop(): Promise<void> };

async function measure(start: (done: () => void) => Runner): Promise<void> {
  let left = 0;
  let drained = Promise.withResolvers<void>();
  const runner = start(() => {
    left -= 1;
    if (left === 0) drained.resolve();
  });
  const drain = async (count: number) => {
    left = count;
    drained = Promise.withResolvers();
    for (let job = 0; job < count; job += 1) runner.push(job);
    await drained.promise;
  };
  await drain(1_000);

  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
  await drain(jobsCount);
  const cpu = process.cpuUsage(cpuBefore);
  const seconds = (performance.now() - startedAt) / 1000;
  const waits: number[] = [];
  for (let lone = 0; lone < lonesCount; lone += 1) {
    const pushedAt = performance.now();
    await drain(1);
    waits.push(performance.now() - pushedAt);
  }
  waits.sort((a, b) => a - b);
  console.log(
    `${runner.name}: ${jobsCount} jobs in ${seconds.toFixed(2)} s, ` +
      `${((cpu.user + cpu.system) / jobsCount).toFixed(1)} µs of processor time a job; ` +
      `a lone job ends after ${waits[lonesCount / 2]?.toFixed(2)} ms (median)`,
  );
  await runner.stop();
}

await measure((done) => {
  const lanes = new Lanes<number>({
    concurrency,
    laneConcurrency: concurrency,
    run: () => work().then(done),
    onEnd: () => {},
  });
  return {
    name: "lanes",
    push: (job) => lanes.push("application", groupOf(job), job),
    stop: () => lanes.idle(),
  };
});

await measure((done) => {
  const memoryOnly = { embedded: true, dataPath: "" };
  const options = { attempts: 1, removeOnComplete: true, removeOnFail: true };
  const queue = new Queue("bench", { ...memoryOnly, defaultJobOptions: options });
  queue.setStallConfig({ enabled: false });
  const worker = new Worker("bench", () => work().then(done), {
    ...memoryOnly,
    concurrency,
    heartbeatInterval: 0,
    useLocks: false,
    pollTimeout: 5_000,
  });
  return {
    name: "bunqueue",
    push: (job) => void queue.add("job", {}, { group: { id: groupOf(job) } }),
    async stop() {
      await worker.close();
      await queue.close();
      shutdownManager();
    },
  };
});
process.exit(0);
