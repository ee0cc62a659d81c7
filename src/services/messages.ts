import { idTime } from "../lib/ids.ts";
import { type Page, page } from "../lib/pagination.ts";
import { RawJson } from "../lib/raw-json.ts";
import { isFiltered, type MessageRow } from "../repos/messages.ts";
import type { MessageOut } from "../schemas/messages.ts";
import { findApplication } from "./applications.ts";
import type { Context } from "./context.ts";
import { notFound } from "./errors.ts";
import { newestFirst, type RangeQuery } from "./id-ranges.ts";

const noPayload = new RawJson("{}");
const expiredPayload = new RawJson('{"expired":true}');

export type MessageListQuery = RangeQuery & {
  channel?: string;
  tag?: string;
  eventTypes: string[] | null;
  withContent: boolean;
};

/** Whether its payload may still be read and sent. */
export const hasPayload = (row: MessageRow, now = Date.now()): boolean =>
  row.payload !== null && row.payloadExpiresAt.getTime() > now;

export const toMessageOut = (row: MessageRow, withContent: boolean): MessageOut => ({
  id: row.id,
  eventType: row.eventType,
  eventId: row.eventId,
  channels: row.channels,
  tags: row.tags,
  deliverAt: row.deliverAt?.toISOString() ?? null,
  payload: withContent ? payloadOut(row) : noPayload,
  timestamp: idTime(row.id).toISOString(),
});

function payloadOut(row: MessageRow): RawJson {
  if (row.payload === null || !hasPayload(row)) return expiredPayload;
  // What goes out raw need not be JSON.
  return row.contentType === null ? new RawJson(row.payload) : noPayload;
}

/** The message that the path names by its id or eventId. Throws not_found otherwise. */
export async function findMessage(
  ctx: Context,
  appId: string,
  ref: string,
  withContent = false,
): Promise<MessageRow> {
  const row = await ctx.repos.messages.find(ctx.orgId, appId, ref, withContent);
  if (!row) throw notFound();
  return row;
}

export async function getMessage(
  ctx: Context,
  appRef: string,
  ref: string,
  withContent: boolean,
): Promise<MessageOut> {
  const { id } = await findApplication(ctx, appRef);
  return toMessageOut(await findMessage(ctx, id, ref, withContent), withContent);
}

/** Newest first, of the last 90 days. */
export async function listMessages(
  ctx: Context,
  appRef: string,
  query: MessageListQuery,
): Promise<Page<MessageOut>> {
  const { id: appId } = await findApplication(ctx, appRef);
  const { range, request } = newestFirst("msg_", query);
  const scope = { orgId: ctx.orgId, appId, ...range };
  const filter = { channel: query.channel ?? null, tag: query.tag ?? null, eventTypes: query.eventTypes };
  const rows = await ctx.repos.messages.list(scope, request, filter, query.withContent);
  const short = rows.length <= request.limit && isFiltered(filter);
  const edge = short ? await ctx.repos.messages.scannedTo(scope, request) : null;
  return page(
    rows,
    request,
    (row) => row.id,
    (row) => toMessageOut(row, query.withContent),
    edge,
  );
}

/** Its payload is gone for good, for readers and for deliveries that are still to come. */
export async function deleteMessageContent(ctx: Context, appRef: string, ref: string): Promise<void> {
  const { id: appId } = await findApplication(ctx, appRef);
  const { id } = await findMessage(ctx, appId, ref);
  if (!(await ctx.repos.messages.removeContent(ctx.orgId, appId, id))) throw notFound();
}
