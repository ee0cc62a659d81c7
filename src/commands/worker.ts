import { defineCommand } from "citty";
import { type Config, describeConfig, environment, loadConfig, redactConfig } from "../config.ts";
import { type Database, openDatabase, reachDatabase, requireSchema } from "../database.ts";
import { extendCommand } from "../lib/cli.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { createSealer } from "../lib/sealed.ts";
import { catchSignals, type ShutdownStep, stopOnSignal } from "../lib/shutdown.ts";
import { logUncaught } from "../lib/uncaught.ts";
import { createRepos } from "../repos/index.ts";
import { createAvailability } from "../tasks/availability.ts";
import { createEngine } from "../tasks/engine.ts";
import { createWorker, type Worker } from "../tasks/worker.ts";
import { userAgent, version } from "../version.ts";
import { requireAddress, stopServer } from "./http-server.ts";

export default extendCommand(
  defineCommand({
    meta: {
      name: "worker",
      description: "Deliver, and run background tasks and schedules. Any number, anywhere.",
    },
    async run() {
      const config = loadConfig(environment(), "worker");
      const log = createLogger({ level: config.logLevel, format: config.logFormat });
      const caught = catchSignals();
      logUncaught(log);
      log.info({ version, config: redactConfig(config) }, "starting");
      requireAddress(config.host, "WORKER_PORT", config.workerPort);
      const database = await openDatabase(config, log, {
        owner: "share",
        applicationName: "posthorn worker",
      });
      try {
        const steps = await start(config, log, database);
        await stopOnSignal(caught, steps, config.shutdownTimeoutMs, log);
      } finally {
        await database.close();
      }
    },
  }),
  { sections: () => [{ title: "ENVIRONMENT", body: describeConfig() }] },
);

/** @returns how to stop it, in order */
async function start(config: Config, log: Logger, database: Database): Promise<ShutdownStep[]> {
  await reachDatabase(config, database, log);
  await requireSchema(database, log);
  const { engine, direct } = database;
  const { open } = createSealer(config.encryptionKeys);
  const repos = createRepos(database.sql);
  const availability = createAvailability({ ...database, log });
  // With an intake of its own, for what it has to say itself: operational events.
  const { events, worker } = createEngine(
    { repos, engine, payloadRetentionDays: config.payloadRetentionDays, log },
    (events) =>
      createWorker({
        config,
        repos,
        events,
        engine,
        direct,
        alone: false,
        userAgent,
        open,
        availability,
        log,
      }),
  );
  let ready = false;
  const server = serveHealth(config, worker, () => ready);
  await worker.start();
  availability.start();
  ready = true;
  log.info({ host: config.host, port: server.port }, "health and metrics");
  const notReady = async () => {
    ready = false;
  };
  return [
    { name: "readiness", stop: notReady },
    { name: "availability", stop: () => availability.stop() },
    { name: "worker", stop: (deadline) => worker.stop(deadline) },
    { name: "events", stop: () => events.idle() },
    { name: "health", stop: (deadline) => stopServer(server, deadline) },
  ];
}

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
