import { Elysia } from "../lib/elysia/index.ts";
import type { Logger } from "../lib/log.ts";
import type { Sealer } from "../lib/sealed.ts";
import type { Authenticate } from "../services/authentication.ts";
import type { Context, Settings } from "../services/context.ts";
import type { HealthChecks } from "../services/health.ts";
import type { HeldKey } from "../services/idempotency.ts";
import type { SignIntegrationKey } from "../services/integrations.ts";
import type { OperationalEvents } from "../services/operational-events.ts";
import type { PayloadSchemas } from "../services/payload-schemas.ts";
import type { SignPollerToken } from "../services/poller-tokens.ts";
import type { IssueAppToken } from "../services/portal-access.ts";

/** What the routes are wired to. */
export type ApiParts = {
  repos: Context["repos"];
  log: Logger;
  authenticate: Authenticate;
  issueAppToken: IssueAppToken;
  signIntegrationKey: SignIntegrationKey;
  signPollerToken: SignPollerToken;
  sealer: Sealer;
  settings: Settings;
  events: OperationalEvents;
  health: HealthChecks;
  payloadSchemas: PayloadSchemas;
};

/** What the hooks of app.ts know of a request from its first moment on. */
export type RequestState = {
  requestId: string;
  startedAt: number;
  /** Set before any route of `api` runs. */
  ctx: Context;
  /** The body as it came, for what must keep its bytes. */
  rawBody: string;
  /** The Idempotency-Key that the handler runs under. */
  heldKey: HeldKey | null;
};

/** What each request's context starts with; the hooks fill it in before a route can see it. */
export const requestState: RequestState = {
  requestId: "",
  startedAt: 0,
  ctx: undefined as never,
  rawBody: "",
  heldKey: null,
};

/** The empty router that a resource's routes go into: under /api/v1, typed with what the hooks provide. */
export const api = (_parts: ApiParts, name: string) =>
  new Elysia({ name: `routes/${name}`, prefix: "/api/v1" }).decorate(requestState);
