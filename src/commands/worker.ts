import { defineCommand } from "citty";
import { type Config, environment, loadConfig, redactConfig } from "../config.ts";
import { openDatabase, requireSchema } from "../database.ts";
import { createLogger } from "../lib/log.ts";
import { createSealer } from "../lib/sealed.ts";
import { stopOnSignal } from "../lib/shutdown.ts";
import { createRepos } from "../repos/index.ts";
import { createWorker, type Worker } from "../tasks/worker.ts";
import { userAgent, version } from "../version.ts";
import { stopServer } from "./http-server.ts";

export default defineCommand({
  meta: {
    name: "worker",
    description: "Deliver, and run background tasks and schedules. Any number, anywhere.",
  },
  async run() {
    const config = loadConfig(environment(), "worker");
    const log = createLogger({ level: config.logLevel, format: config.logFormat });
    log.info({ version, config: redactConfig(config) }, "starting");
    const database = await openDatabase(config, log, { owner: "share", applicationName: "posthorn worker" });
    try {
      await requireSchema(database);
      const { engine, direct } = database;
      const { open } = createSealer(config.encryptionKey);
      const worker = createWorker({
        config,
        repos: createRepos(database.sql),
        engine,
        direct,
        alone: false,
        userAgent,
        open,
        log,
      });
      let ready = false;
      const server = serveHealth(config, worker, () => ready);
      await worker.start();
      ready = true;
      log.info({ host: config.host, port: server.port }, "health and metrics");
      const notReady = async () => {
        ready = false;
      };
      await stopOnSignal(
        [
          { name: "readiness", stop: notReady },
          { name: "worker", stop: (deadline) => worker.stop(deadline) },
          { name: "health", stop: (deadline) => stopServer(server, deadline) },
        ],
        config.shutdownTimeoutMs,
        log,
      );
    } finally {
      await database.close();
    }
  },
});

/** `/health` while it lives, `/ready` while it takes work, `/metrics` in Prometheus' text form. */
function serveHealth(config: Config, worker: Worker, isReady: () => boolean) {
  return Bun.serve({
    hostname: config.host,
    port: config.workerPort,
    development: false,
    routes: {
      "/health": () => Response.json({ status: "ok" }),
      "/ready": () => Response.json({ ready: isReady() }, { status: isReady() ? 200 : 503 }),
      "/metrics": () => {
        const { inFlight, waiting } = worker.stats();
        return new Response(
          `# TYPE posthorn_deliveries_in_flight gauge\nposthorn_deliveries_in_flight ${inFlight}\n` +
            `# TYPE posthorn_deliveries_waiting gauge\nposthorn_deliveries_waiting ${waiting}\n`,
          { headers: { "content-type": "text/plain; version=0.0.4" } },
        );
      },
    },
    fetch: () => new Response("not found", { status: 404 }),
  });
}
