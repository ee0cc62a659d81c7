import { newId } from "../lib/ids.ts";
import { isMissingPartition, isRetriable } from "../lib/postgres-errors.ts";
import { attemptStatus } from "../models/attempts.ts";
import type { MessageCancelIn, MessageCancelOut } from "../schemas/messages.ts";
import { findApplication } from "./applications.ts";
import { audit } from "./audit.ts";
import type { Context } from "./context.ts";
import { findEndpoint } from "./endpoints.ts";
import { findMessage } from "./messages.ts";
import { ensureCurrentPartitions } from "./partitions.ts";

/**
 * Takes a message's deliveries out of the queue, all of them or those to some endpoints, and leaves a canceled attempt
 * for each. One that is under way may still arrive, but is not tried again.
 */
export async function cancelMessage(
  ctx: Context,
  appRef: string,
  messageRef: string,
  { endpointIds: refs }: MessageCancelIn,
): Promise<MessageCancelOut> {
  const { id: appId } = await findApplication(ctx, appRef);
  const { id: messageId, eventType, channels, tags } = await findMessage(ctx, appId, messageRef);
  const endpoints = refs && (await Promise.all(refs.map((ref) => findEndpoint(ctx, appId, ref))));
  const scope = { orgId: ctx.orgId, appId, messageId };
  const endpointIds = endpoints?.map(({ id }) => id) ?? null;

  const cancel = () =>
    ctx.repos.tx(async (tx) => {
      const removed = await tx.queue.remove(scope, endpointIds);
      if (removed.length === 0) return { canceled: 0, sending: 0 };
      await tx.attempts.insertAll(
        removed.map(({ endpointId, trigger, attempt, url }) => ({
          ...scope,
          ...{ id: newId("atmpt_"), endpointId, eventType, channels, tags, trigger, attempt, url },
          ...{ status: attemptStatus.canceled, responseStatusCode: 0, response: "canceled", durationMs: 0 },
          // Nothing was sent.
          sentHeaders: "[]",
        })),
      );
      const canceled = removed.length;
      const sending = removed.filter(({ leased }) => leased).length;
      await audit(ctx, tx, {
        action: "message.cancel",
        target: messageId,
        detail: { endpointIds, canceled, sending },
      });
      return { canceled, sending };
    });
  // Outcomes that are written at this moment lock the same rows in another order.
  return cancel().catch(async (error: unknown) => {
    if (isMissingPartition(error)) await ensureCurrentPartitions(ctx.repos);
    else if (!isRetriable(error)) throw error;
    return cancel();
  });
}
