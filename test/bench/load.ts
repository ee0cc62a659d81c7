/**
 * The load generator, a process of its own: `bun test/bench/load.ts '<LoadOptions>'` prints a LoadResult. Closed loops,
 * one request in flight on each connection, for a time or up to a number of messages; or an open loop at a rate.
 */
import { cpuShare, nowMs } from "./clock.ts";
import { type Connection, openConnection, type Target } from "./connection.ts";
import { quantile } from "./numbers.ts";

export type LoadOptions = Target & {
  connections: number;
  /** How long, after `warmSeconds` that don't count. */
  seconds?: number;
  warmSeconds?: number;
  /** So many 202s, in whatever time; with neither this nor a rate, as many as fit. */
  messages?: number;
  /** A second, evenly spread, whether or not those before are answered. */
  rate?: number;
};

export type LoadResult = {
  /** 202s: all, and those of the time that counts. */
  accepted: number;
  counted: number;
  /** Answers other than 202, and connections lost; what the first of them said. */
  refused: number;
  firstRefusal: string | null;
  perSecond: number;
  startedMs: number;
  p50: number;
  p99: number;
  cpu: number;
};

const lostMax = 1_000;
/** A run that is to take a number of messages gives up after this. */
const patienceMs = 600_000;

async function main(options: LoadOptions): Promise<LoadResult> {
  const { connections, warmSeconds = 0, messages = Number.POSITIVE_INFINITY, rate } = options;
  const latencies: number[] = [];
  const idle: Connection[] = [];
  /** Of an open loop: what is due and has no connection. */
  const overdue: number[] = [];
  const finished = Promise.withResolvers<void>();
  let [sent, accepted, refused, lost, inFlight] = [0, 0, 0, 0, 0];
  let firstRefusal: string | null = null;
  let startedMs = 0;
  let endsMs = Number.POSITIVE_INFINITY;

  /** Of an open loop: everything has been sent, or is overdue. */
  let spent = false;
  const more = (): boolean =>
    rate === undefined ? nowMs() < endsMs && accepted + inFlight < messages : !spent || overdue.length > 0;
  const send = (connection: Connection, dueMs?: number): void => {
    inFlight += 1;
    sent += 1;
    connection.send(sent, dueMs);
  };
  const next = (connection: Connection): void => {
    const dueMs = overdue.shift();
    if (dueMs !== undefined || (rate === undefined && more())) send(connection, dueMs);
    else {
      idle.push(connection);
      if (inFlight === 0 && !more()) finished.resolve();
    }
  };
  const refuse = (text: string): void => {
    refused += 1;
    firstRefusal ??= text.slice(0, 400);
  };
  const events = {
    answered(connection: Connection, status: number, sentMs: number, text: string) {
      inFlight -= 1;
      const now = nowMs();
      if (status === 202) {
        accepted += 1;
        const counts = rate !== undefined || (now >= startedMs + warmSeconds * 1_000 && now <= endsMs);
        if (counts) latencies.push(now - sentMs);
      } else refuse(text);
      next(connection);
    },
    lost(connection: Connection, reason: string) {
      const at = idle.indexOf(connection);
      // One that nobody has used for a minute: the server may close it, and nothing is lost with it.
      if (at >= 0) idle.splice(at, 1);
      else {
        inFlight = Math.max(0, inFlight - 1);
        refuse(reason);
      }
      lost += 1;
      if (lost > lostMax) return finished.reject(new Error(`${lost} connections lost: ${reason}`));
      openConnection(options, events).then(next, (error: Error) => finished.reject(error));
    },
  };

  idle.push(
    ...(await Promise.all(Array.from({ length: connections }, () => openConnection(options, events)))),
  );
  const cpu = cpuShare();
  startedMs = nowMs();
  const patience = setTimeout(() => finished.reject(new Error(`${accepted} of ${messages}`)), patienceMs);
  if (options.seconds !== undefined) endsMs = startedMs + (warmSeconds + options.seconds) * 1_000;
  if (rate === undefined) for (const connection of idle.splice(0)) next(connection);
  else await openLoop(rate);
  await finished.promise;
  clearTimeout(patience);
  for (const connection of idle) connection.end();

  latencies.sort((a, b) => a - b);
  const tookMs = Math.min(nowMs(), endsMs) - startedMs - warmSeconds * 1_000;
  return {
    accepted,
    counted: latencies.length,
    refused,
    firstRefusal,
    perSecond: (latencies.length / tookMs) * 1_000,
    startedMs,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpu: cpu(),
  };

  async function openLoop(perSecond: number): Promise<void> {
    for (let n = 0; ; n += 1) {
      const dueMs = startedMs + (n * 1_000) / perSecond;
      if (dueMs >= endsMs) break;
      const waitMs = dueMs - nowMs();
      if (waitMs > 0) await Bun.sleep(waitMs);
      const connection = idle.pop();
      // A late timer is the generator's own: only the wait for a connection is the server's.
      if (connection !== undefined) send(connection);
      else overdue.push(nowMs());
    }
    spent = true;
    if (inFlight === 0) finished.resolve();
  }
}

console.log(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "{}") as LoadOptions)));
process.exit(0);
