/**
 * The receiver, a process of its own: prints its port. `/ok/…` answers at once, `/slow/…` after 50 ms, `/hang/…` never,
 * `/stall/…` with a head and no end of a body. It counts what arrives by run and path, each message once, and tells at
 * `/report/<run>`; `/usage` says what it took of the processor.
 */
import { nowMs } from "./clock.ts";
import { quantile } from "./numbers.ts";
import { payloadFields } from "./payload.ts";

export type Report = {
  /** Messages at a path, each once; and what came again. */
  arrived: number;
  repeated: number;
  lastMs: number;
  /** Of the middle four fifths of the arrivals: a start and an end are no part of a steady rate. */
  middlePerSecond: number;
  /** From when the message was sent to us until it arrived here. */
  p50: number;
  p99: number;
};
export type Usage = { cpuMs: number; atMs: number };

const slowMs = 50;

type Run = {
  seen: Map<string, Uint8Array>;
  arrived: number;
  repeated: number;
  times: number[];
  ages: number[];
};
const runs = new Map<string, Run>();

const runOf = (name: string): Run => {
  const known = runs.get(name);
  if (known !== undefined) return known;
  const run: Run = { seen: new Map(), arrived: 0, repeated: 0, times: [], ages: [] };
  runs.set(name, run);
  return run;
};

function note(path: string, body: Buffer): void {
  const text = (field: { at: number; length: number }) =>
    body.toString("latin1", field.at, field.at + field.length);
  const run = runOf(text(payloadFields.run));
  const n = Number(text(payloadFields.number));
  let seen = run.seen.get(path) ?? new Uint8Array(1 << 14);
  if (n >= seen.length) {
    const larger = new Uint8Array(Math.max(n + 1, seen.length * 2));
    larger.set(seen);
    seen = larger;
  }
  run.seen.set(path, seen);
  if (seen[n] === 1) {
    run.repeated += 1;
    return;
  }
  seen[n] = 1;
  const now = nowMs();
  run.arrived += 1;
  run.times.push(now);
  run.ages.push(now - Number(text(payloadFields.at)));
}

function report(name: string): Report {
  const { arrived, repeated, times, ages } = runOf(name);
  const sorted = ages.toSorted((a, b) => a - b);
  const [from, to] = [Math.floor(arrived * 0.1), Math.floor(arrived * 0.9)];
  return {
    arrived,
    repeated,
    lastMs: times.at(-1) ?? Number.NaN,
    middlePerSecond: ((to - from) * 1_000) / ((times[to] ?? Number.NaN) - (times[from] ?? Number.NaN)),
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1_000, atMs: nowMs() };
}

const never = () => new Promise<Response>(() => {});
const stalled = () =>
  new Response(new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("wait")) }));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  development: false,
  async fetch(request) {
    const path = request.url.slice(request.url.indexOf("/", "http://".length));
    const [, kind, name = ""] = path.split("/", 3);
    if (kind === "report") return Response.json(report(name));
    if (kind === "arrived") return Response.json(runOf(name).arrived);
    if (kind === "usage") return Response.json(usage());
    if (kind === "forget") return Response.json(runs.delete(name));
    note(path, Buffer.from(await request.arrayBuffer()));
    if (kind === "slow") await Bun.sleep(slowMs);
    if (kind === "hang") return never();
    if (kind === "stall") return stalled();
    return new Response("ok");
  },
});
console.log(server.port);
