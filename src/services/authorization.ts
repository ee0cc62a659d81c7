import type { ApplicationScope } from "../repos/application-scope.ts";
import type { EventTypeScope } from "../repos/event-types.ts";
import type { Context } from "./context.ts";
import { AppError } from "./errors.ts";

/** Refuses an actor that is bound to one application. */
export function requireOrg(ctx: Pick<Context, "actor">): void {
  if (ctx.actor.kind === "app") throw new AppError("insufficient access");
}

/** Whether the actor may see that application at all; a foreign one is not found rather than forbidden. */
export function mayAccessApplication(ctx: Pick<Context, "actor">, appId: string): boolean {
  return ctx.actor.kind !== "app" || ctx.actor.appId === appId;
}

/** The application that a path names, for finders that filter by it and by what the actor may see. */
export function applicationScope(ctx: Pick<Context, "actor" | "orgId">, appRef: string): ApplicationScope {
  return { orgId: ctx.orgId, appRef, boundAppId: ctx.actor.kind === "app" ? ctx.actor.appId : null };
}

/** The event types that the actor may see. */
export function eventTypeScope(ctx: Pick<Context, "actor" | "orgId">): EventTypeScope {
  return { orgId: ctx.orgId, featureFlags: ctx.actor.kind === "app" ? ctx.actor.featureFlags : null };
}
