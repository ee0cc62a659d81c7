import { idTime } from "../lib/ids.ts";
import type { MessageAttemptHeadersOut } from "../schemas/attempts.ts";
import { findApplication } from "./applications.ts";
import type { Context } from "./context.ts";
import { plainHeaders } from "./delivery-headers.ts";
import { notFound } from "./errors.ts";
import { type KeptHeader, readHeaders } from "./kept-headers.ts";
import { findMessage } from "./messages.ts";

/**
 * What was sent and what came back. It is kept of attempts that failed: of the others it is told what follows from the
 * message, which leaves out the endpoint's own headers, the signatures and the answer's.
 */
export async function getAttemptHeaders(
  ctx: Context,
  appRef: string,
  messageRef: string,
  id: string,
): Promise<MessageAttemptHeadersOut> {
  const { id: appId } = await findApplication(ctx, appRef);
  const message = await findMessage(ctx, appId, messageRef);
  const row = await ctx.repos.attempts.findHeaders(ctx.orgId, appId, message.id, id);
  if (!row) throw notFound();
  const sent: KeptHeader[] =
    row.sentHeaders === null
      ? Object.entries(plainHeaders(message.id, message.contentType, idTime(id).getTime()))
      : readHeaders(row.sentHeaders);
  const response = row.responseHeaders === null ? null : readHeaders(row.responseHeaders);
  const hidden = [...sent, ...(response ?? [])].filter(([, value]) => value === null).map(([name]) => name);
  return {
    sentHeaders: Object.fromEntries(sent.filter(isShown)),
    responseHeaders: response === null ? null : response.filter(isShown),
    sensitive: [...new Set(hidden)],
  };
}

const isShown = (header: KeptHeader): header is [name: string, value: string] => header[1] !== null;
