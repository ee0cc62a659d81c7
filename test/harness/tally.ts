/** A receiver that counts: what came for which endpoint, and when it was first answered with 2xx. */
import type { Random } from "./random.ts";

export type Count = { requests: number; successes: number; firstSuccessAt: number; lastRequestAt: number };

export type Tally = {
  /** `<url><name>` is the address of an endpoint. */
  url: string;
  /** By `<endpoint's name> <message's id>`. Times are Date.now()'s. */
  counts: Map<string, Count>;
  requests(): number;
  stop(): Promise<void>;
};

/** @param options `failing` of all requests are answered with 500, and `slow` of them after 50 ms */
export function startTally(random: Random, options: { failing: number; slow: number }): Tally {
  const counts = new Map<string, Count>();
  let requests = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      await request.arrayBuffer();
      requests += 1;
      const key = `${new URL(request.url).pathname.slice(1)} ${request.headers.get("webhook-id")}`;
      const count = counts.get(key) ?? { requests: 0, successes: 0, firstSuccessAt: 0, lastRequestAt: 0 };
      counts.set(key, count);
      count.requests += 1;
      count.lastRequestAt = Date.now();
      if (random.next() < options.slow) await Bun.sleep(50);
      if (random.next() < options.failing) return new Response("", { status: 500 });
      count.successes += 1;
      if (count.successes === 1) count.firstSuccessAt = Date.now();
      return new Response(null, { status: 204 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/`,
    counts,
    requests: () => requests,
    stop: () => server.stop(true),
  };
}
