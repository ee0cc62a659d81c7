import type { MessagePrecheckIn, MessagePrecheckOut } from "../schemas/messages.ts";
import { findApplication } from "./applications.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";

/** Whether a message like this would go anywhere, as of now. */
export async function precheckMessage(
  ctx: Context,
  appRef: string,
  { eventType, channels }: MessagePrecheckIn,
): Promise<MessagePrecheckOut> {
  requireOrg(ctx);
  const { id } = await findApplication(ctx, appRef);
  return {
    active: await ctx.repos.endpoints.anyWants(ctx.orgId, id, { eventType, channels: channels ?? null }),
  };
}
