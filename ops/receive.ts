import { setTimeout as sleep } from "node:timers/promises";
import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { intValue, listValue } from "../src/lib/cli-values.ts";
import { listenUrl } from "../src/lib/listen-url.ts";
import { interruptSignal } from "../src/lib/operator/interrupt.ts";
import { printable } from "../src/lib/operator/printable.ts";
import { type ReportOutput, terminalOutput } from "../src/lib/operator/report.ts";
import { verify } from "../src/services/standard-webhooks.ts";
import { parseSecret, type WebhookKey } from "../src/services/webhook-secrets.ts";

interface Received {
  time: string;
  method: string;
  path: string;
  id: string | null;
  /** `null` when there is no secret to verify with. */
  verified: boolean | null;
  reason?: string;
  bytes: number;
  status: number;
  body: string;
}

export default extendCommand(
  defineCommand({
    meta: { name: "receive", description: "Receive webhooks: verify them, print them, answer them." },
    args: {
      port: { type: "string", description: "The port; 0 takes any free one.", default: "8079" },
      host: { type: "string", description: "The address to listen on.", default: "127.0.0.1" },
      secret: {
        type: "string",
        description: "The endpoint's secret; repeat it or part several with commas.",
      },
      status: { type: "string", description: "The status to answer with.", default: "204" },
      delay: { type: "string", description: "Milliseconds to wait before answering.", default: "0" },
      count: { type: "string", description: "Exit after this many messages." },
      json: { type: "boolean", description: "Print JSON lines, as if there were no terminal." },
    },
    async run({ args }) {
      const keys = listValue("secret", args.secret).map(readKey);
      const status = intValue("status", args.status, { min: 200, max: 599 });
      const delayMs = intValue("delay", args.delay, { min: 0, max: 3_600_000 });
      const countMax =
        args.count === undefined ? null : intValue("count", args.count, { min: 1, max: 1_000_000_000 });
      const port = intValue("port", args.port, { min: 0, max: 65_535 });
      const output = terminalOutput(args.json === true);
      const interrupt = interruptSignal();
      const full = Promise.withResolvers<void>();
      let count = 0;

      const server = Bun.serve({
        port,
        hostname: args.host,
        development: false,
        idleTimeout: 0,
        async fetch(request) {
          const received = await receive(request, keys, status);
          if (delayMs > 0) await sleep(delayMs);
          print(output, received);
          if (++count === countMax) full.resolve();
          return new Response(null, { status: received.status });
        },
      });
      const url = listenUrl(args.host, server.port ?? port);
      output.out(
        output.terminal
          ? `Listening on ${url}; ^C to stop.\n`
          : `${JSON.stringify({ event: "listening", url, port: server.port })}\n`,
      );
      interrupt.signal.addEventListener("abort", () => full.resolve());
      await full.promise;
      interrupt.dispose();
      // Answers under way get out; a connection that stays open doesn't hold the exit up.
      await Promise.race([server.stop(), sleep(500)]);
      await server.stop(true);
    },
  }),
  { repeatable: ["secret"] },
);

function readKey(secret: string): WebhookKey {
  try {
    return parseSecret(secret);
  } catch (error) {
    throw new UsageError(`--secret is wrong: ${(error as Error).message}.`);
  }
}

async function receive(request: Request, keys: readonly WebhookKey[], status: number): Promise<Received> {
  const body = await request.bytes();
  const result = keys.length === 0 ? null : verify(keys, request.headers, body);
  const { pathname, search } = new URL(request.url);
  return {
    time: new Date().toISOString(),
    method: request.method,
    path: pathname + search,
    id: request.headers.get("webhook-id") ?? request.headers.get("svix-id"),
    verified: result?.ok ?? null,
    ...(result && !result.ok && { reason: result.reason }),
    bytes: body.length,
    status: result && !result.ok ? 401 : status,
    body: new TextDecoder().decode(body),
  };
}

function print(output: ReportOutput, received: Received): void {
  if (!output.terminal) {
    output.out(`${JSON.stringify({ event: "message", ...received })}\n`);
    return;
  }
  const { time, method, path, id, verified, reason, bytes, status, body } = received;
  const verdict =
    verified === null ? "not verified: no --secret" : verified ? "verified" : `REFUSED: ${reason}`;
  const head = `${time.slice(11, 23)} ${method} ${path} ${id ?? "no id"} ${bytes} bytes → ${status} ${verdict}`;
  const text = body.length > 2000 ? `${body.slice(0, 2000)}…` : body;
  output.out(`${printable(head)}\n${printable(text)}\n\n`);
}
