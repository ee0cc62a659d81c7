/**
 * What a POST through `lib/egress` costs beside a bare `fetch` loop, in one run: `bun test/bench/egress.ts [posts]`.
 * The receiver runs in its own process; alternating rounds, medians; CPU is this process's, user and system.
 */
import { createEgress } from "../../src/lib/egress/index.ts";

const POSTS = Number(process.argv[2] ?? 30_000);
const IN_FLIGHT = 64;
const ROUNDS = 5;
const RECEIVER = `
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", async fetch(request) { await request.arrayBuffer(); return new Response("ok"); } });
console.log(server.port);
`;

const receiver = Bun.spawn([process.execPath, "-e", RECEIVER], { stdout: "pipe" });
const { value } = await receiver.stdout.getReader().read();
const port = new TextDecoder().decode(value).trim();
const url = `http://hook.test:${port}/hook`;
const literalUrl = `http://127.0.0.1:${port}/hook`;
const body = JSON.stringify({ type: "invoice.paid", data: "x".repeat(310) });
const headers = {
  "Content-Type": "application/json",
  "User-Agent": "Posthorn",
  "Svix-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "Svix-Timestamp": "1614265330",
  "Svix-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const egress = createEgress({ allow: ["127.0.0.0/8"], resolve: async () => ["127.0.0.1"] });

const ways = {
  fetch: async () => {
    const response = await fetch(literalUrl, { method: "POST", headers, body, redirect: "manual" });
    await response.arrayBuffer();
    return response.status;
  },
  egress: async () => {
    const outcome = await egress.post({ url, headers, body, timeoutMs: 15_000, responseBytesMax: 20_000 });
    if (outcome.kind === "failure") throw new Error(outcome.message);
    return outcome.status;
  },
};

async function run(post: () => Promise<number>, count: number): Promise<{ rate: number; cpuMicros: number }> {
  let left = count;
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const loop = async () => {
    while (left-- > 0) if ((await post()) !== 200) throw new Error("the receiver did not answer 200");
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
  const { user, system } = process.cpuUsage(cpu);
  return { rate: (count / (performance.now() - startedMs)) * 1000, cpuMicros: (user + system) / count };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const results = { fetch: [] as number[], egress: [] as number[] };
const rates = { fetch: [] as number[], egress: [] as number[] };
for (let round = 0; round <= ROUNDS; round++)
  for (const way of ["fetch", "egress"] as const) {
    const { rate, cpuMicros } = await run(ways[way], POSTS);
    // The first round warms up.
    if (round === 0) continue;
    results[way].push(cpuMicros);
    rates[way].push(rate);
  }
for (const way of ["fetch", "egress"] as const)
  console.log(
    `${way.padEnd(7)} ${median(rates[way]).toFixed(0)} posts/s, ${median(results[way]).toFixed(1)} µs CPU a post`,
  );
console.log(`egress / fetch: ${(median(results.egress) / median(results.fetch)).toFixed(2)} in CPU`);
egress.close();
receiver.kill();
