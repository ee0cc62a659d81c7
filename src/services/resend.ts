import { findApplication } from "./applications.ts";
import type { Context } from "./context.ts";
import { findEndpoint, requireSendable } from "./endpoints.ts";
import { AppError } from "./errors.ts";
import { findMessage, hasPayload } from "./messages.ts";

/**
 * Sends a message to an endpoint once more: a single attempt, now, whatever was planned or came of it before, and
 * whether or not the endpoint's filters match.
 * @throws AppError missing_payload, when the message has none any more
 */
export async function resendMessage(
  ctx: Context,
  appRef: string,
  messageRef: string,
  endpointRef: string,
): Promise<void> {
  const { id: appId } = await findApplication(ctx, appRef);
  const endpoint = await findEndpoint(ctx, appId, endpointRef);
  const message = await findMessage(ctx, appId, messageRef, true);
  if (!hasPayload(message)) throw new AppError("missing_payload");
  requireSendable(endpoint);
  await ctx.repos.tx(async (tx) => {
    await tx.queue.insertManual({
      orgId: ctx.orgId,
      appId,
      messageId: message.id,
      endpointId: endpoint.id,
    });
    await tx.queue.notify();
  });
}
