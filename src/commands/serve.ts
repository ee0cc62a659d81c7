import { defineCommand } from "citty";
import { createApp, serverBodyBytesMax } from "../app.ts";
import { type Config, describeConfig, environment, loadConfig, redactConfig } from "../config.ts";
import { type Database, openDatabase, reachDatabase, requireSchema } from "../database.ts";
import { allEnded } from "../lib/all-ended.ts";
import { extendCommand } from "../lib/cli.ts";
import { parseCidr } from "../lib/egress/address.ts";
import { createGuard } from "../lib/egress/guard.ts";
import { listenUrl } from "../lib/listen-url.ts";
import { createLogger, type Logger } from "../lib/log.ts";
import { createSealer } from "../lib/sealed.ts";
import { catchSignals, type ShutdownStep, stopOnSignal } from "../lib/shutdown.ts";
import { logUncaught } from "../lib/uncaught.ts";
import { createRepos, type Repos } from "../repos/index.ts";
import { createAuthentication } from "../services/authentication.ts";
import { createHealthChecks } from "../services/health.ts";
import { createSignIntegrationKey } from "../services/integrations.ts";
import { partitionsNow } from "../services/partitions.ts";
import { createPayloadSchemas } from "../services/payload-schemas.ts";
import { createSignPollerToken } from "../services/poller-tokens.ts";
import { createIssueAppToken } from "../services/portal-access.ts";
import { bringUpToDate } from "../services/schema.ts";
import { requireJwtSecret } from "../services/tokens.ts";
import { createAvailability } from "../tasks/availability.ts";
import { createEngine } from "../tasks/engine.ts";
import { createPayloadSchemaWatch } from "../tasks/payload-schemas.ts";
import { createRevocationWatch } from "../tasks/revocations.ts";
import { createWorker } from "../tasks/worker.ts";
import { userAgent, version } from "../version.ts";
import { greeting } from "./greeting.ts";
import { requireAddress, stopServer } from "./http-server.ts";

export default extendCommand(
  defineCommand({
    meta: {
      name: "serve",
      description:
        "Serve the HTTP API. Without DATABASE_URL it runs PostgreSQL inside, and a worker beside it.",
    },
    args: {
      worker: {
        type: "boolean",
        description: "Deliver in this process too (always so without DATABASE_URL).",
      },
      greet: {
        type: "boolean",
        description:
          "Print a token and a first message to try (always so on a terminal, without DATABASE_URL).",
      },
    },
    async run({ args }) {
      const config = loadConfig(environment(), "serve");
      const log = createLogger({ level: config.logLevel, format: config.logFormat });
      const caught = catchSignals();
      logUncaught(log);
      log.info({ version, config: redactConfig(config) }, "starting");
      requireAddress(config.host, "PORT", config.port);
      const database = await openDatabase(config, log, { owner: "serve", applicationName: "posthorn serve" });
      try {
        const { steps, url, jwtSecret } = await start(
          config,
          log,
          database,
          config.embedded || args.worker === true,
        );
        if (config.egressAllow.length > 0) {
          log.warn({ egressAllow: config.egressAllow }, "deliveries may reach these private networks");
        }
        // Logs are kept and read by many, so no token among them unless someone asks for it.
        if (args.greet === true || (config.embedded && process.stdout.isTTY)) {
          const output = config.logFormat === "json" ? process.stderr : process.stdout;
          const guard = createGuard(config.egressAllow.map(parseCidr));
          output.write(await greeting(url, jwtSecret, guard.refusal("127.0.0.1") === null));
        }
        await stopOnSignal(caught, steps, config.shutdownTimeoutMs, log);
      } finally {
        await database.close();
      }
    },
  }),
  { sections: () => [{ title: "ENVIRONMENT", body: describeConfig() }] },
);

/** @returns how to stop it, in order, and where it listens */
async function start(
  config: Config,
  log: Logger,
  database: Database,
  withWorker: boolean,
): Promise<{ steps: ShutdownStep[]; url: string; jwtSecret: string }> {
  const jwtSecret = await requireJwtSecret(config);
  const repos = createRepos(database.sql);
  // Side by side, as the database is a wait and the app is work.
  const [, { app, availability, events, intake, payloadSchemaWatch, revocations, worker }] = await allEnded([
    makeUsable(config, log, database, repos),
    wire({ config, log, database, repos, jwtSecret, withWorker }),
  ]);
  try {
    await allEnded([worker?.start(), revocations.start(), payloadSchemaWatch.start()]);
    availability.start();
    app.listen({
      hostname: config.host,
      port: config.port,
      // Elysia's default shares the port with whoever does the same: two of us would each get half of the requests.
      reusePort: false,
      maxRequestBodySize: serverBodyBytesMax,
      // A handler may wait for the database longer than Bun's 10 s.
      idleTimeout: 60,
      development: false,
    });
  } catch (error) {
    // The port was taken meanwhile, say. What runs by then would miss the database that is closed next.
    await availability.stop();
    await payloadSchemaWatch.stop();
    await revocations.stop();
    await worker?.stop(AbortSignal.abort());
    throw error;
  }
  const port = app.server?.port ?? config.port;
  log.info({ host: config.host, port, worker: withWorker }, "listening");
  const steps: ShutdownStep[] = [
    { name: "http", stop: (deadline) => stopServer(app.server, deadline) },
    { name: "availability", stop: () => availability.stop() },
    { name: "revocations", stop: () => revocations.stop() },
    { name: "payload schemas", stop: () => payloadSchemaWatch.stop() },
    { name: "intake", stop: () => intake.idle() },
    { name: "worker", stop: async (deadline) => worker?.stop(deadline) },
    { name: "events", stop: () => events.idle() },
  ];
  return { steps, url: listenUrl(config.host, port), jwtSecret };
}

async function makeUsable(config: Config, log: Logger, database: Database, repos: Repos): Promise<void> {
  await reachDatabase(config, database, log);
  // With a worker inside, whose schedule makes the later weeks' partitions while messages come in already.
  if (database.embedded) await bringUpToDate(database.direct, repos, log, partitionsNow(new Date()));
  else await requireSchema(database, log);
}

type WireParts = {
  config: Config;
  log: Logger;
  database: Database;
  repos: Repos;
  jwtSecret: string;
  withWorker: boolean;
};

/** Everything that `serve` consists of, and nothing of it started. */
async function wire({ config, log, database, repos, jwtSecret, withWorker }: WireParts) {
  // A turn of the event loop later, so that dialling has begun.
  await new Promise(setImmediate);
  const { engine, direct, embedded } = database;
  const sealer = createSealer(config.encryptionKeys);
  const availability = createAvailability({ ...database, log });
  const alone = embedded?.startedHere === true;
  const { payloadRetentionDays, attemptRetentionDays } = config;
  const { events, worker, intake, intakeRepo } = createEngine(
    { repos, engine, payloadRetentionDays, log },
    (events) =>
      withWorker
        ? createWorker({
            config,
            repos,
            engine,
            direct,
            alone,
            userAgent,
            open: sealer.open,
            events,
            availability,
            log,
          })
        : null,
  );
  const authentication = createAuthentication({ jwtSecret, repos });
  const revocations = createRevocationWatch({ repos, direct, authentication, log });
  const payloadSchemas = createPayloadSchemas(repos);
  const payloadSchemaWatch = createPayloadSchemaWatch({ payloadSchemas, direct, log });
  const app = createApp({
    availability,
    repos,
    log,
    authenticate: authentication.authenticate,
    issueAppToken: createIssueAppToken(jwtSecret),
    signIntegrationKey: createSignIntegrationKey(jwtSecret),
    signPollerToken: createSignPollerToken(jwtSecret),
    sealer,
    settings: { endpointHttpsOnly: config.endpointHttpsOnly },
    events,
    payloadSchemas,
    health: createHealthChecks(repos),
    sending: { intake, ...intakeRepo, payloadRetentionDays, attemptRetentionDays },
  });
  return { app, availability, events, intake, payloadSchemaWatch, revocations, worker };
}
