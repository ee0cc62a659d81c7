/**
 * About a minute of everything that can be killed being killed, under load at full speed. `CHAOS_SECONDS=600` runs
 * longer, `CHAOS_SEED=…` repeats a run's choices, `CHAOS_VERBOSE=1` prints what the processes complained of.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { binary, killApps } from "../harness/binary.ts";
import {
  createEndpoints,
  type Fault,
  faultKinds,
  type Stage,
  startLoad,
  startStage,
} from "../harness/chaos.ts";
import { createRandom } from "../harness/random.ts";
import { until } from "../harness/receiver.ts";
import { type Count, startTally } from "../harness/tally.ts";

const seconds = Number(process.env.CHAOS_SECONDS ?? 25);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));

setDefaultTimeout(seconds * 1_000 + 240_000);
let stage: Stage | null = null;
beforeAll(binary);
afterAll(async () => {
  killApps();
  await stage?.cluster.stop();
});

const endpointNames = ["one", "two"];
const deliveryTimeoutMs = 2_000;
/** When a fault has ended, the processes know it so much later at most. */
const recoveryMs = 2_000;
/** Outcomes of which one process can be waiting for the database before it takes on nothing new, and what is in flight. */
const unrecordedMax = 5_000 + 256;

test(`nothing accepted is lost, whatever is killed (CHAOS_SEED=${seed}, ${seconds} s)`, async () => {
  const random = createRandom(seed);
  const running = await startStage(random, {
    DELIVERY_TIMEOUT_MS: String(deliveryTimeoutMs),
    // Long enough that none is exhausted by a receiver that fails now and then.
    RETRY_SCHEDULE: "0.2,0.5,1,1,1,1,1,1,1,1",
  });
  stage = running;
  const { cluster, faults, deaths } = running;
  const tally = startTally(random, { failing: 0.02, slow: 0.05 });
  const endpoints = await createEndpoints(running.serveUrl(), tally.url, endpointNames);
  const load = startLoad(running, 16);

  const endsAt = performance.now() + seconds * 1_000;
  let bag: typeof faultKinds = [];
  while (performance.now() < endsAt) {
    await Bun.sleep(random.between(300, 2_000));
    if (bag.length === 0) bag = random.shuffled(faultKinds);
    const [kind, ...rest] = bag;
    bag = rest;
    if (kind !== undefined) await running.strike(kind);
  }
  await load.end();

  const pairs = [...load.accepted.values()].flatMap((id) => endpointNames.map((name) => `${name} ${id}`));
  const missing = () => pairs.filter((pair) => (tally.counts.get(pair)?.successes ?? 0) === 0);
  await until(
    () => missing().length === 0,
    60_000,
    () => `${missing().length} of ${pairs.length} deliveries are missing, such as ${missing()[0]}`,
  );
  let stuck: unknown[] = [];
  await until(
    async () => {
      stuck = [...(await cluster.sql`select * from deliveries limit 3`)];
      return stuck.length === 0;
    },
    60_000,
    () => `stuck: ${JSON.stringify(stuck)}`,
  );
  expect(await running.stop()).toEqual([0, 0, 0]);
  expect(deaths).toEqual([]);

  // An idempotency key stands for one message, however often it was sent and whatever became of the answer.
  expect(load.secondIds).toEqual([]);
  const [stored] = await cluster.sql`
    select count(*)::int as messages, count(distinct payload)::int as payloads from messages`;
  expect(stored).toEqual({ messages: load.accepted.size, payloads: load.accepted.size });

  const history = new Map<string, { answered: number; succeeded: number }>();
  for (const row of await cluster.sql`
    select endpoint_id, message_id, count(*) filter (where response_status_code > 0)::int as answered,
           count(*) filter (where status = 0)::int as succeeded
    from attempts group by 1, 2`) {
    history.set(`${endpoints.get(row.endpoint_id)} ${row.message_id}`, row as never);
  }
  const told = compare(tally.counts, history, faults);
  const byKind = faultKinds.map((kind) => `${faults.filter((one) => one.kind === kind).length} ${kind}`);
  const refusals = Object.entries(load.refused).map(([status, count]) => `${count} × ${status}`);
  console.log(
    [
      `chaos, seed ${seed}: ${load.accepted.size} messages accepted in ${seconds} s, ${tally.requests()} requests received`,
      `faults: ${byKind.join(", ")}; refused meanwhile: ${refusals.join(", ") || "none"}`,
      `attempts that the history lacks: ${told.unrecorded}; deliveries answered with 2xx more than once: ${told.duplicates.length}`,
      `of those ${told.lost} since the first outcome was lost with a process, ${told.overtaken} since another held it by then`,
      `within the time of a fault: ${told.duplicates.length - told.unexplained.length}`,
    ].join("\n"),
  );
  if (process.env.CHAOS_VERBOSE) console.log(running.complaints());

  // The history has no attempt that was not made, and a success for each delivery.
  expect(told.invented).toEqual([]);
  expect(pairs.filter((pair) => (history.get(pair)?.succeeded ?? 0) === 0)).toEqual([]);
  const processKills = faults.filter(({ kind }) => kind === "serve" || kind === "worker").length;
  expect(told.unrecorded).toBeLessThanOrEqual(processKills * unrecordedMax);
  expect(told.unexplained).toEqual([]);
  await tally.stop();
});

/** What the receiver counted beside what the history says. */
function compare(
  counts: Map<string, Count>,
  history: Map<string, { answered: number; succeeded: number }>,
  faults: Fault[],
) {
  const told = {
    unrecorded: 0,
    invented: [] as string[],
    duplicates: [] as string[],
    lost: 0,
    overtaken: 0,
    unexplained: [] as string[],
  };
  for (const [pair, count] of counts) {
    const { answered, succeeded } = history.get(pair) ?? { answered: 0, succeeded: 0 };
    told.unrecorded += Math.max(0, count.requests - answered);
    if (answered > count.requests || succeeded > count.successes) told.invented.push(pair);
    if (count.successes < 2) continue;
    told.duplicates.push(pair);
    if (succeeded < count.successes) told.lost += 1;
    else told.overtaken += 1;
    if (!faults.some((fault) => couldRepeat(fault, count))) told.unexplained.push(pair);
  }
  return told;
}

/** It was being sent when the fault came, or while it lasted, or its outcome was waiting to be written. */
const couldRepeat = (fault: Fault, { firstSuccessAt }: Count): boolean =>
  firstSuccessAt > fault.at - deliveryTimeoutMs && firstSuccessAt < fault.until + recoveryMs;
