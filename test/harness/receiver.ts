import { Webhook } from "standardwebhooks";

export type Received = { id: string; at: number; headers: Headers; body: string };
export type Answer = { status: number; headers?: Record<string, string>; body?: string };

export type Receiver = {
  url: string;
  /** What came and verified. */
  received: Received[];
  /** How often each message was answered with 2xx, by its id. */
  delivered: Map<string, number>;
  /** Requests that did not verify. */
  readonly refused: number;
  /** Every request must verify with it from now on, as Standard Webhooks has it. */
  verifyWith(secret: string): void;
  /** How it answers from now on; a promise keeps the sender waiting. */
  answer: (received: Received) => Answer | Promise<Answer>;
  /** Resolves when so many requests have come; fails after the deadline. */
  waitFor(count: number, timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
};

/** A real HTTP receiver on loopback. @param secret see `verifyWith` */
export function startReceiver(secret?: string): Receiver {
  const received: Received[] = [];
  const delivered = new Map<string, number>();
  let webhook = secret === undefined ? null : new Webhook(secret);
  let refused = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    development: false,
    async fetch(request) {
      const body = await request.text();
      const headers = request.headers;
      webhook?.verify(body, Object.fromEntries(headers as unknown as Iterable<[string, string]>));
      const one = { id: headers.get("webhook-id") ?? "", at: performance.now(), headers, body };
      received.push(one);
      const answer = await receiver.answer(one);
      if (answer.status < 300) delivered.set(one.id, (delivered.get(one.id) ?? 0) + 1);
      return new Response(answer.body ?? "", { status: answer.status, headers: answer.headers ?? {} });
    },
    error(error) {
      refused += 1;
      return new Response(error.message, { status: 400 });
    },
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${server.port}/`,
    received,
    delivered,
    get refused() {
      return refused;
    },
    verifyWith(secret) {
      webhook = new Webhook(secret);
    },
    answer: () => ({ status: 204 }),
    async waitFor(count, timeoutMs = 10_000) {
      await until(
        () => received.length >= count,
        timeoutMs,
        () => `${received.length} of ${count} arrived`,
      );
    },
    stop: () => server.stop(true),
  };
  return receiver;
}

/** Polls until it holds; fails after the deadline with what `state` says. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
  state: () => string = () => "it never held",
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`gave up after ${timeoutMs} ms: ${state()}`);
    await Bun.sleep(10);
  }
}
