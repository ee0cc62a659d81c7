import type { Context } from "./context.ts";
import { AppError } from "./errors.ts";

/** Refuses an actor that is bound to one application. */
export function requireOrg(ctx: Context): void {
  if (ctx.actor.kind === "app") throw new AppError("insufficient access");
}

/** Whether the actor may see that application at all; a foreign one is not found rather than forbidden. */
export function mayAccessApplication(ctx: Context, appId: string): boolean {
  return ctx.actor.kind !== "app" || ctx.actor.appId === appId;
}
