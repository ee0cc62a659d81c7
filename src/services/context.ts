import type { Logger } from "../lib/log.ts";
import type { Sealer } from "../lib/sealed.ts";
import type { ApiKeyScope } from "../models/api-keys.ts";
import type { Repos } from "../repos/index.ts";
import type { Capability } from "./capabilities.ts";
import type { OperationalEvents } from "./operational-events.ts";
import type { PayloadSchemas } from "./payload-schemas.ts";

/** On whose behalf something is done. */
export type Actor =
  | { kind: "org"; orgId: string }
  | { kind: "key"; orgId: string; keyId: string; scopes: readonly ApiKeyScope[] }
  | AppActor
  | { kind: "operator"; orgId: string; name: string }
  | { kind: "task"; orgId: string; name: string };

/** An application's owner: what they may do there is what their token says. */
export type AppActor = {
  kind: "app";
  orgId: string;
  appId: string;
  featureFlags: readonly string[];
  capabilities: readonly Capability[];
  /** The only endpoint that this token is for, which it may read and nothing else. */
  pollerId: string | null;
};

/** What the rules depend on, out of the configuration. */
export type Settings = { readonly endpointHttpsOnly: boolean };

/** What every service verb is given first. The tenant is the actor's, and every finder filters by it. */
export type Context = {
  actor: Actor;
  orgId: string;
  requestId: string;
  repos: Repos;
  /** Seals what the database must not hold in the clear. */
  sealer: Sealer;
  settings: Settings;
  events: OperationalEvents;
  payloadSchemas: PayloadSchemas;
  log: Logger;
  signal: AbortSignal;
};

/** As much of it as the verbs need that operators and tasks call too: there is no request then. */
export type ActorContext = Pick<Context, "actor" | "orgId" | "repos">;

/** The same for what makes endpoints: it seals secrets, and tells of what it has made. */
export type EndpointContext = ActorContext &
  Pick<Context, "sealer" | "settings"> & { events: Pick<OperationalEvents, "emit"> };

/** The same for what changes event types: this process learns of it at once. */
export type EventTypeContext = ActorContext &
  Pick<Context, "log"> & { payloadSchemas: Pick<Context["payloadSchemas"], "refresh"> };

/** For what is no tenant's, or all tenants' together: operators alone do that. */
export type OperatorContext = {
  /** As the audit log names the operator. */
  actor: string;
  repos: Repos;
};

/** The actor as the audit log and the logs name it. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case "org":
      return `org-token:${actor.orgId}`;
    case "key":
      return `api-key:${actor.keyId}`;
    case "app":
      return actor.pollerId === null ? `app-token:${actor.appId}` : `poller-token:${actor.pollerId}`;
    case "operator":
      return `operator:${actor.name}`;
    case "task":
      return `task:${actor.name}`;
  }
}
