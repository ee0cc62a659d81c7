import type { ApiKeyScope } from "../models/api-keys.ts";
import type { Capability } from "./capabilities.ts";
import type { Actor } from "./context.ts";
import { AppError } from "./errors.ts";

/**
 * Who may call a route.
 * A capability: application owners who have it, and keys. "org": keys, by their scopes. "admin": keys with that scope.
 * "all": whoever has a token. Org tokens may call everything.
 */
export type Access = Capability | "org" | "admin" | "all";

/** Every route under /api/v1 that needs a token; a test holds it against the app. What is missing counts as "admin". */
export const routeAccess: Readonly<Record<string, Access>> = {
  "GET /app": "org",
  "POST /app": "org",
  "GET /app/:app_id": "ViewBase",
  "PUT /app/:app_id": "org",
  "PATCH /app/:app_id": "org",
  "DELETE /app/:app_id": "org",

  "GET /app/:app_id/endpoint": "ViewBase",
  "POST /app/:app_id/endpoint": "ManageEndpoint",
  "GET /app/:app_id/endpoint/:endpoint_id": "ViewBase",
  "PUT /app/:app_id/endpoint/:endpoint_id": "ManageEndpoint",
  "PATCH /app/:app_id/endpoint/:endpoint_id": "ManageEndpoint",
  "DELETE /app/:app_id/endpoint/:endpoint_id": "ManageEndpoint",
  "GET /app/:app_id/endpoint/:endpoint_id/headers": "ViewBase",
  "PUT /app/:app_id/endpoint/:endpoint_id/headers": "ManageEndpoint",
  "PATCH /app/:app_id/endpoint/:endpoint_id/headers": "ManageEndpoint",
  "GET /app/:app_id/endpoint/:endpoint_id/secret": "ViewEndpointSecret",
  "POST /app/:app_id/endpoint/:endpoint_id/secret/rotate": "ManageEndpointSecret",
  "GET /app/:app_id/endpoint/:endpoint_id/stats": "ViewBase",
  "POST /app/:app_id/endpoint/:endpoint_id/send-example": "CreateAttempts",
  "POST /app/:app_id/endpoint/:endpoint_id/recover": "CreateAttempts",
  "POST /app/:app_id/endpoint/:endpoint_id/replay-missing": "CreateAttempts",
  "POST /app/:app_id/endpoint/:endpoint_id/bulk-replay": "CreateAttempts",

  "POST /app/:app_id/msg": "org",
  "GET /app/:app_id/msg": "ViewBase",
  "POST /app/:app_id/msg/precheck/active": "org",
  "POST /app/:app_id/msg/bulk-expunge": "ManageEndpoint",
  "POST /app/:app_id/msg/expunge-all-contents": "org",
  "GET /app/:app_id/msg/:msg_id": "ViewBase",
  "DELETE /app/:app_id/msg/:msg_id/content": "ManageEndpoint",
  "POST /app/:app_id/msg/:msg_id/cancel": "ManageEndpoint",
  "GET /app/:app_id/msg/:msg_id/endpoint": "ViewBase",
  "POST /app/:app_id/msg/:msg_id/endpoint/:endpoint_id/resend": "CreateAttempts",
  "GET /app/:app_id/endpoint/:endpoint_id/msg": "ViewBase",

  "GET /app/:app_id/poller/:sink_id": "ViewBase",
  // An iterator that a consumer gives back moves it, for all who read as it.
  "GET /app/:app_id/poller/:sink_id/consumer/:consumer_id": "ManageEndpoint",
  "POST /app/:app_id/poller/:sink_id/consumer/:consumer_id/seek": "ManageEndpoint",

  "GET /app/:app_id/attempt/endpoint/:endpoint_id": "ViewBase",
  "GET /app/:app_id/attempt/endpoint/:endpoint_id/count": "ViewBase",
  "GET /app/:app_id/attempt/msg/:msg_id": "ViewBase",
  "GET /app/:app_id/attempt/msg/:msg_id/count": "ViewBase",
  "GET /app/:app_id/msg/:msg_id/attempt": "ViewBase",
  "GET /app/:app_id/msg/:msg_id/endpoint/:endpoint_id/attempt": "ViewBase",
  "GET /app/:app_id/msg/:msg_id/attempt/:attempt_id": "ViewBase",
  "GET /app/:app_id/msg/:msg_id/attempt/:attempt_id/headers": "ViewBase",
  "DELETE /app/:app_id/msg/:msg_id/attempt/:attempt_id/content": "ManageEndpoint",

  "GET /event-type": "ViewBase",
  "POST /event-type": "org",
  "POST /event-type/import/openapi": "org",
  "POST /event-type/export/openapi": "org",
  "GET /event-type/:event_type_name": "ViewBase",
  "PUT /event-type/:event_type_name": "org",
  "PATCH /event-type/:event_type_name": "org",
  "DELETE /event-type/:event_type_name": "org",
  "GET /event-type/:event_type_name/retry-schedule": "ViewBase",
  "PUT /event-type/:event_type_name/retry-schedule": "org",

  "GET /operational-webhook/endpoint": "org",
  "POST /operational-webhook/endpoint": "org",
  "GET /operational-webhook/endpoint/:endpoint_id": "org",
  "PUT /operational-webhook/endpoint/:endpoint_id": "org",
  "DELETE /operational-webhook/endpoint/:endpoint_id": "org",
  "GET /operational-webhook/endpoint/:endpoint_id/headers": "org",
  "PUT /operational-webhook/endpoint/:endpoint_id/headers": "org",
  "GET /operational-webhook/endpoint/:endpoint_id/secret": "org",
  "POST /operational-webhook/endpoint/:endpoint_id/secret/rotate": "org",

  "GET /app/:app_id/integration": "org",
  "POST /app/:app_id/integration": "org",
  "GET /app/:app_id/integration/:integ_id": "org",
  "PUT /app/:app_id/integration/:integ_id": "org",
  "DELETE /app/:app_id/integration/:integ_id": "org",
  "GET /app/:app_id/integration/:integ_id/key": "admin",
  "POST /app/:app_id/integration/:integ_id/key/rotate": "admin",

  "POST /environment/export": "admin",
  "POST /environment/import": "admin",
  "POST /stats/usage/app": "org",
  "PUT /stats/usage/event-types": "org",

  "GET /background-task": "org",
  "GET /background-task/:task_id": "org",
  "POST /background-task/:task_id/cancel": "org",

  "POST /auth/app-portal-access/:app_id": "admin",
  "POST /auth/dashboard-access/:app_id": "admin",
  "POST /auth/app/:app_id/expire-all": "admin",
  "GET /auth/app/:app_id/poller/:endpoint_id/token": "admin",
  "POST /auth/app/:app_id/poller/:endpoint_id/token/rotate": "admin",
  "POST /auth/logout": "all",
  "GET /auth/api-key": "admin",
  "POST /auth/api-key": "admin",
  "GET /auth/api-key/:key_id": "admin",
  "DELETE /auth/api-key/:key_id": "admin",
  "POST /auth/api-key/:key_id/expire": "admin",
};

/** All that a poller's token is good for, at its endpoint: see `findPolled`. */
const pollerRoutes: ReadonlySet<string> = new Set([
  "GET /app/:app_id/poller/:sink_id",
  "GET /app/:app_id/poller/:sink_id/consumer/:consumer_id",
  "POST /app/:app_id/poller/:sink_id/consumer/:consumer_id/seek",
]);

const prefix = "/api/v1";

/** Refuses an actor whose token is too narrow for a route. @param route its pattern, `/api/v1/app/:app_id` */
export function requireAccess(actor: Actor, method: string, route: string): void {
  if (actor.kind !== "app" && actor.kind !== "key") return;
  const verb = method === "HEAD" ? "GET" : method;
  const called = `${verb} ${route.slice(prefix.length).replace(/\/$/, "")}`;
  const access = routeAccess[called] ?? "admin";
  if (!may(actor, called, access)) throw new AppError("insufficient access");
}

function may(actor: Extract<Actor, { kind: "app" | "key" }>, called: string, access: Access): boolean {
  if (actor.kind === "key") return actor.scopes.includes(scopeFor(called, access)) || access === "all";
  return actor.pollerId === null ? mayOwner(actor, access) : pollerRoutes.has(called);
}

function mayOwner(actor: Extract<Actor, { kind: "app" }>, access: Access): boolean {
  if (access === "all") return true;
  return access !== "org" && access !== "admin" && actor.capabilities.includes(access);
}

/** Reading shows no secret, and moves nothing. */
function scopeFor(called: string, access: Access): ApiKeyScope {
  if (access === "admin" || /^GET .*\/secret$/.test(called)) return "admin";
  return called.startsWith("GET ") && access !== "ManageEndpoint" ? "read" : "write";
}
