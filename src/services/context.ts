import type { Logger } from "../lib/log.ts";
import type { Sealer } from "../lib/sealed.ts";
import type { Repos } from "../repos/index.ts";

/** On whose behalf something is done. */
export type Actor =
  | { kind: "org"; orgId: string }
  | { kind: "app"; orgId: string; appId: string; featureFlags: readonly string[] }
  | { kind: "operator"; orgId: string; name: string }
  | { kind: "task"; orgId: string; name: string };

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
  log: Logger;
  signal: AbortSignal;
};

/** The actor as the audit log and the logs name it. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case "org":
      return `org-token:${actor.orgId}`;
    case "app":
      return `app-token:${actor.appId}`;
    case "operator":
      return `operator:${actor.name}`;
    case "task":
      return `task:${actor.name}`;
  }
}
