import { defineCommand } from "citty";
import { environment, loadConfig } from "../src/config.ts";
import { extendCommand } from "../src/lib/cli.ts";
import { EXIT } from "../src/lib/cli-errors.ts";
import { listenUrl } from "../src/lib/listen-url.ts";

const timeoutMs = 3_000;

export default extendCommand(
  defineCommand({
    meta: {
      name: "health",
      description: "Ask the process on PORT (serve) or WORKER_PORT (worker) whether it lives: exit 0 or 1.",
    },
    args: {
      role: {
        type: "enum",
        options: ["serve", "worker"],
        description:
          "Which of the two to ask. Unset: either will do, as in a container that runs one of them.",
      },
    },
    async run({ args }) {
      const { host, port, workerPort } = loadConfig(environment(), "ops");
      const serve = `${listenUrl(host, port)}/api/v1/health/ping`;
      const worker = `${listenUrl(host, workerPort)}/health`;
      const urls = { serve: [serve], worker: [worker], either: [serve, worker] }[args.role ?? "either"];
      const answers = await Promise.all(urls.map(ask));
      const healthy = answers.find(({ ok }) => ok);
      process.stdout.write(`${(healthy ? [healthy] : answers).map(({ line }) => line).join("\n")}\n`);
      return healthy ? EXIT.done : EXIT.failed;
    },
  }),
  {
    sections: () => [{ title: "EXAMPLE", body: '  HEALTHCHECK CMD ["/app", "ops", "health"]' }],
  },
);

async function ask(url: string): Promise<{ ok: boolean; line: string }> {
  try {
    const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: "manual" });
    return { ok, line: `${url}: ${status}` };
  } catch (error) {
    return { ok: false, line: `${url}: ${error instanceof Error ? error.message : error}` };
  }
}
