import { idTime } from "../lib/ids.ts";
import { type Page, page } from "../lib/pagination.ts";
import { type AttemptFilter, type AttemptRow, type AttemptScope, isSifted } from "../repos/attempts.ts";
import type { MessageAttemptOut, MessageStatusText } from "../schemas/attempts.ts";
import { findApplication } from "./applications.ts";
import type { Context } from "./context.ts";
import { findEndpoint } from "./endpoints.ts";
import { AppError, notFound } from "./errors.ts";
import { firstAttemptIdOf, newestFirst, type RangeQuery } from "./id-ranges.ts";
import { findMessage, toMessageOut } from "./messages.ts";

export type AttemptListQuery = RangeQuery & {
  status?: number;
  status_code_class?: number;
  channel?: string;
  eventTypes: string[] | null;
  withContent: boolean;
  /** Each with its message. */
  withMessage: boolean;
};

const statusTexts = ["success", "pending", "fail", "sending", "canceled"] as const;
export const statusText = (status: number): MessageStatusText => statusTexts[status] ?? "fail";

const expunged = "EXPUNGED";

const toOut = (row: AttemptRow, withContent: boolean): MessageAttemptOut => ({
  id: row.id,
  msgId: row.messageId,
  endpointId: row.endpointId,
  url: row.url,
  status: row.status,
  statusText: statusText(row.status),
  triggerType: row.trigger,
  response: withContent ? (row.response ?? expunged) : "",
  responseStatusCode: row.responseStatusCode,
  responseDurationMs: row.durationMs,
  timestamp: idTime(row.id).toISOString(),
});

/** Newest first, of the last 90 days. */
export async function listAttemptsByEndpoint(
  ctx: Context,
  appRef: string,
  endpointRef: string,
  query: AttemptListQuery,
): Promise<Page<MessageAttemptOut>> {
  const endpoint = await findEndpoint(ctx, appRef, endpointRef);
  return list(ctx, { appId: endpoint.appId, endpointId: endpoint.id }, query, null);
}

/** Newest first, of the last 90 days; with `endpointRef` those at one endpoint, which may be deleted by now. */
export async function listAttemptsByMessage(
  ctx: Context,
  appRef: string,
  messageRef: string,
  query: AttemptListQuery & { endpointRef: string | null },
): Promise<Page<MessageAttemptOut>> {
  const { id: appId } = await findApplication(ctx, appRef);
  const message = await findMessage(ctx, appId, messageRef);
  const ref = query.endpointRef;
  const endpointId = ref === null || ref.startsWith("ep_") ? ref : (await findEndpoint(ctx, appId, ref)).id;
  return list(ctx, { appId, messageId: message.id }, query, endpointId);
}

async function list(
  ctx: Context,
  of: { appId: string } & ({ endpointId: string } | { messageId: string }),
  query: AttemptListQuery,
  endpointId: string | null,
): Promise<Page<MessageAttemptOut>> {
  const { range, request } = newestFirst("atmpt_", query);
  const scope: AttemptScope = { orgId: ctx.orgId, ...of, ...range };
  if ("messageId" in of) {
    const first = firstAttemptIdOf(of.messageId);
    if (first > scope.from) scope.from = first;
  }
  const filter = toFilter(query, endpointId);
  // What is pending, under way or canceled is no attempt yet.
  if (filter === null) return { data: [], done: true, iterator: null, prevIterator: null };
  const rows = await ctx.repos.attempts.list(scope, request, filter);
  const short = rows.length <= request.limit && isSifted(scope, filter);
  const edge = short ? await ctx.repos.attempts.scannedTo(scope, request, filter) : null;
  const found = page(
    rows,
    request,
    (row) => row.id,
    (row) => toOut(row, query.withContent),
    edge,
  );
  return query.withMessage ? { ...found, data: await withMessages(ctx, of.appId, found.data, query) } : found;
}

/** Null for a message that is gone. */
async function withMessages(
  ctx: Context,
  appId: string,
  attempts: MessageAttemptOut[],
  { withContent }: { withContent: boolean },
): Promise<MessageAttemptOut[]> {
  const ids = attempts.map(({ msgId }) => msgId);
  const rows = await ctx.repos.messages.findAll(ctx.orgId, appId, ids, withContent);
  const messages = new Map(rows.map((row) => [row.id, toMessageOut(row, withContent)]));
  return attempts.map((attempt) => ({ ...attempt, msg: messages.get(attempt.msgId) ?? null }));
}

function toFilter(query: AttemptListQuery, endpointId: string | null): AttemptFilter | null {
  const { status, status_code_class: codeClass } = query;
  if (status !== undefined && status !== 0 && status !== 2) return null;
  if (codeClass !== undefined && codeClass % 100 !== 0) {
    throw new AppError("generic_error", {
      detail: "Query parameter status_code_class: must be 0, 100, 200, 300, 400 or 500",
    });
  }
  return {
    status: status ?? null,
    statusCodes: codeClass === undefined ? null : { from: codeClass, to: codeClass + 99 },
    channel: query.channel ?? null,
    eventTypes: query.eventTypes,
    endpointId,
  };
}

export async function getAttempt(
  ctx: Context,
  appRef: string,
  messageRef: string,
  id: string,
): Promise<MessageAttemptOut> {
  const { id: appId } = await findApplication(ctx, appRef);
  const message = await findMessage(ctx, appId, messageRef);
  const row = await ctx.repos.attempts.find(ctx.orgId, appId, message.id, id);
  if (!row) throw notFound();
  return toOut(row, true);
}

/** What the receiver answered is gone for good. */
export async function deleteAttemptContent(
  ctx: Context,
  appRef: string,
  messageRef: string,
  id: string,
): Promise<void> {
  const { id: appId } = await findApplication(ctx, appRef);
  const message = await findMessage(ctx, appId, messageRef);
  if (!(await ctx.repos.attempts.removeContent(ctx.orgId, appId, message.id, id))) throw notFound();
}
