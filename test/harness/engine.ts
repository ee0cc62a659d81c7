import pino from "pino";
import { type Config, loadConfig } from "../../src/config.ts";
import { connect, engineSettings } from "../../src/database.ts";
import { newId } from "../../src/lib/ids.ts";
import { createRepos } from "../../src/repos/index.ts";
import type { IntakeRow } from "../../src/repos/intake.ts";
import type { AcceptResult } from "../../src/services/intake.ts";
import { ensureCurrentPartitions } from "../../src/services/partitions.ts";
import { createEngine } from "../../src/tasks/engine.ts";
import { createWorker, type Worker } from "../../src/tasks/worker.ts";
import { createTestDatabase, type TestDatabase } from "./postgres.ts";

export const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const testOrg = "org_engine";

export type Engine = {
  database: TestDatabase;
  worker: Worker | null;
  /** Sends so many messages to an application, through the intake. */
  send(appId: string, count?: number, row?: Partial<IntakeRow>): Promise<string[]>;
  accept(row: IntakeRow): Promise<AcceptResult>;
  addApplication(columns?: { throttle_rate?: number }): Promise<string>;
  addEndpoint(appId: string, url: string, columns?: Record<string, unknown>): Promise<string>;
  /** Rows of the queue. */
  queued(): Promise<{ endpoint_id: string; attempt: number; due_at: Date; lease: string | null }[]>;
  attempts(): Promise<
    { message_id: string; status: number; attempt: number; response: string; next_at: Date | null }[]
  >;
  stop(): Promise<void>;
};

export const engineConfig = (env: Record<string, string> = {}): Config =>
  loadConfig({ EGRESS_ALLOW: "127.0.0.0/8", RETRY_JITTER: "0", ...env }, "serve", false);

/** The intake and, unless told otherwise, a worker, on a database of their own or a shared one. */
export async function startEngine(
  options: { env?: Record<string, string>; worker?: boolean; database?: TestDatabase } = {},
): Promise<Engine> {
  const database = options.database ?? (await createTestDatabase());
  const { url, sql } = database;
  const pool = (max: number) =>
    connect(url, { max, prepare: true, applicationName: "engine", settings: engineSettings });
  const engine = pool(6);
  const direct = pool(1);
  const log = pino({ level: process.env.ENGINE_LOG ?? "silent" });
  const repos = createRepos(connect(url, { max: 2, prepare: true, applicationName: "engine repos" }));
  await ensureCurrentPartitions(repos);
  const { events, worker, intake } = createEngine(
    { repos, engine, payloadRetentionDays: 90, log },
    (events) =>
      options.worker === false
        ? null
        : createWorker({
            config: engineConfig(options.env),
            repos,
            engine,
            direct,
            alone: false,
            userAgent: "Posthorn/test",
            open: (secret) => secret,
            events,
            availability: { suspect: () => {} },
            log,
          }),
  );
  await worker?.start();

  const row = (appId: string, given: Partial<IntakeRow> = {}): IntakeRow => ({
    id: newId("msg_"),
    orgId: testOrg,
    appRef: appId,
    eventType: "test.event",
    eventId: null,
    channels: null,
    tags: null,
    deliverAt: null,
    payload: '{"n":1.0}',
    contentType: null,
    payloadRetentionHours: 2160,
    idempotency: null,
    ...given,
  });

  return {
    database,
    worker,
    async send(appId, count = 1, given = {}) {
      const rows = Array.from({ length: count }, () => row(appId, given));
      await Promise.all(rows.map((one) => intake.accept(one)));
      return rows.map((one) => one.id);
    },
    accept: (given) => intake.accept(given),
    async addApplication(columns = {}) {
      const id = newId("app_");
      await sql`insert into applications ${sql({ id, org_id: testOrg, name: "test", ...columns })}`;
      return id;
    },
    async addEndpoint(appId, endpointUrl, columns = {}) {
      const id = newId("ep_");
      await sql`insert into endpoints ${sql({ id, org_id: testOrg, app_id: appId, url: endpointUrl, ...columns })}`;
      await sql`insert into endpoint_secrets ${sql({ org_id: testOrg, endpoint_id: id, secret: testSecret })}`;
      if (columns.fifo) await sql`insert into turns ${sql({ endpoint_id: id, org_id: testOrg })}`;
      return id;
    },
    queued: async () => [...(await sql`select endpoint_id, attempt, due_at, lease from deliveries`)] as never,
    attempts: async () =>
      [
        ...(await sql`select message_id, status, attempt, response, next_at from attempts order by id`),
      ] as never,
    async stop() {
      await worker?.stop(AbortSignal.timeout(2_000));
      await events.idle();
      await Promise.all([engine, direct].map((one) => one.end({ timeout: 1 })));
      if (options.database === undefined) await database.drop();
    },
  };
}
