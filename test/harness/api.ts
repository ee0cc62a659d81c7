import { SignJWT } from "jose";
import type { Sql } from "postgres";
import { createApp, serverBodyBytesMax } from "../../src/app.ts";
import { connect } from "../../src/database.ts";
import { createSealer } from "../../src/lib/sealed.ts";
import { createRepos } from "../../src/repos/index.ts";
import { createAuthentication } from "../../src/services/authentication.ts";
import type { Settings } from "../../src/services/context.ts";
import { createHealthChecks } from "../../src/services/health.ts";
import { createSignIntegrationKey } from "../../src/services/integrations.ts";
import { createPayloadSchemas } from "../../src/services/payload-schemas.ts";
import { createSignPollerToken } from "../../src/services/poller-tokens.ts";
import { createIssueAppToken } from "../../src/services/portal-access.ts";
import { createEngine } from "../../src/tasks/engine.ts";
import { createPayloadSchemaWatch } from "../../src/tasks/payload-schemas.ts";
import { createRevocationWatch } from "../../src/tasks/revocations.ts";
import { createTestDatabase, silent, type TestDatabase } from "./postgres.ts";

export const jwtSecret = "the tests' secret, 32 characters long";

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON came, and fails where it is another
export type Json = any;
export type Answer = { status: number; body: Json; text: string; headers: Headers };
export type RequestOptions = {
  /** Sent as JSON; `raw` goes as it is. */
  body?: unknown;
  raw?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** `org_a`'s token unless told; null for none. */
  token?: string | null;
  headers?: Record<string, string>;
};

/** A token as an outsider would make it who has the secret. */
export const signJwt = (
  claims: Record<string, unknown>,
  secret = jwtSecret,
  expires = "1h",
): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256" })
    .setIssuedAt()
    .setJti(crypto.randomUUID())
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret));
export const orgToken = (orgId: string) => signJwt({ sub: orgId });
export const appToken = (orgId: string, appId: string, featureFlags?: string[]) =>
  signJwt({ sub: appId, org: orgId, ...(featureFlags && { feature_flags: featureFlags }) });

export type Api = {
  app: ReturnType<typeof createApp>;
  /** `http://127.0.0.1:<port>`: what an SDK is given. */
  url: string;
  database: TestDatabase;
  /** Below `/api/v1`. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** Resolves when what the requests so far have to tell operational endpoints is stored. */
  told(): Promise<void>;
  stop(): Promise<void>;
};

/** The API on a port of its own, over a database of its own unless it is to share one. */
export async function startApi(
  options: {
    settings?: Settings;
    encryptionKeys?: Uint8Array[];
    database?: TestDatabase;
    /** Hear of revocations and of changed event types, as `serve` does. */
    watch?: boolean;
  } = {},
): Promise<Api> {
  const database = options.database ?? (await createTestDatabase());
  // Each layer has a client of its own, as in the program: drizzle changes the one that it is given.
  const [client, engine] = [10, 4].map((max) =>
    connect(database.url, { max, prepare: true, applicationName: "posthorn test" }),
  ) as [Sql, Sql];
  const repos = createRepos(client);
  const { events, intake, intakeRepo } = createEngine(
    { repos, engine, payloadRetentionDays: 90, log: silent },
    () => null,
  );
  const authentication = createAuthentication({ jwtSecret, repos });
  const direct = connect(database.url, { max: 1, prepare: true, applicationName: "posthorn test direct" });
  const payloadSchemas = createPayloadSchemas(repos);
  const watches = options.watch
    ? [
        createRevocationWatch({ repos, direct, authentication, log: silent }),
        createPayloadSchemaWatch({ payloadSchemas, direct, log: silent }),
      ]
    : [];
  for (const watch of watches) await watch.start();
  const app = createApp({
    availability: { admit: () => {}, suspect: () => {} },
    repos,
    log: silent,
    authenticate: authentication.authenticate,
    issueAppToken: createIssueAppToken(jwtSecret),
    signIntegrationKey: createSignIntegrationKey(jwtSecret),
    signPollerToken: createSignPollerToken(jwtSecret),
    sealer: createSealer(options.encryptionKeys),
    settings: options.settings ?? { endpointHttpsOnly: false },
    events,
    payloadSchemas,
    health: createHealthChecks(repos),
    sending: { intake, ...intakeRepo, payloadRetentionDays: 90, attemptRetentionDays: 90 },
  });
  app.listen({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: serverBodyBytesMax,
    development: false,
  });
  const url = `http://127.0.0.1:${app.server?.port}`;
  const defaultToken = await orgToken("org_a");

  return {
    app,
    url,
    database,
    async request(method, path, { body, raw, token = defaultToken, headers = {} } = {}) {
      const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(payload !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(payload !== undefined && { body: payload }),
      });
      const text = await response.text();
      return { status: response.status, body: parse(text), text, headers: response.headers };
    },
    told: () => events.idle(),
    async stop() {
      await app.stop(true);
      for (const watch of watches) await watch.stop();
      await events.idle();
      await Promise.all([client, engine, direct].map((one) => one.end({ timeout: 1 })));
      if (!options.database) await database.drop();
    },
  };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
