import { idTime } from "../lib/ids.ts";
import { type Page, page } from "../lib/pagination.ts";
import type { AttemptStatus } from "../models/attempts.ts";
import { type AttemptFilter, type AttemptRow, type AttemptScope, isSifted } from "../repos/attempts.ts";
import type { AttemptCountOut, MessageAttemptOut, MessageStatusText } from "../schemas/attempts.ts";
import { findApplication } from "./applications.ts";
import type { Context } from "./context.ts";
import { findEndpoint } from "./endpoints.ts";
import { AppError, notFound } from "./errors.ts";
import { firstAttemptIdOf, type IdRange, newestFirst, type RangeQuery } from "./id-ranges.ts";
import { findMessage, toMessageOut } from "./messages.ts";

export type AttemptFilterQuery = RangeQuery & {
  status?: number;
  status_code_class?: number;
  channel?: string;
  tag?: string;
  eventTypes: string[] | null;
};

export type AttemptListQuery = AttemptFilterQuery & {
  withContent: boolean;
  /** Each with its message. */
  withMessage: boolean;
};

/** Nobody counts further than this: about 30 ms with everything in memory. */
const countRowsMax = 10_000;

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
  const { of, endpointId } = await findMessageAndEndpoint(ctx, appRef, messageRef, query.endpointRef);
  return list(ctx, of, query, endpointId);
}

/** How many the list would have, of an endpoint's newest 10,000. */
export async function countAttemptsByEndpoint(
  ctx: Context,
  appRef: string,
  endpointRef: string,
  query: AttemptFilterQuery,
): Promise<AttemptCountOut> {
  const endpoint = await findEndpoint(ctx, appRef, endpointRef);
  return count(ctx, { appId: endpoint.appId, endpointId: endpoint.id }, query, null);
}

/** How many the list would have, of a message's newest 10,000. */
export async function countAttemptsByMessage(
  ctx: Context,
  appRef: string,
  messageRef: string,
  query: AttemptFilterQuery & { endpointRef: string | null },
): Promise<AttemptCountOut> {
  const { of, endpointId } = await findMessageAndEndpoint(ctx, appRef, messageRef, query.endpointRef);
  return count(ctx, of, query, endpointId);
}

async function findMessageAndEndpoint(
  ctx: Context,
  appRef: string,
  messageRef: string,
  ref: string | null,
): Promise<{ of: { appId: string; messageId: string }; endpointId: string | null }> {
  const { id: appId } = await findApplication(ctx, appRef);
  const message = await findMessage(ctx, appId, messageRef);
  const endpointId = ref === null || ref.startsWith("ep_") ? ref : (await findEndpoint(ctx, appId, ref)).id;
  return { of: { appId, messageId: message.id }, endpointId };
}

type AttemptsOf = { appId: string } & ({ endpointId: string } | { messageId: string });

function scopeOf(ctx: Context, of: AttemptsOf, range: IdRange): AttemptScope {
  const scope: AttemptScope = { orgId: ctx.orgId, ...of, ...range };
  if ("messageId" in of) {
    const first = firstAttemptIdOf(of.messageId);
    if (first > scope.from) scope.from = first;
  }
  return scope;
}

async function count(
  ctx: Context,
  of: AttemptsOf,
  query: AttemptFilterQuery,
  endpointId: string | null,
): Promise<AttemptCountOut> {
  const filter = toFilter(query, endpointId);
  if (filter === null) return { count: 0, approximated: false };
  const scope = scopeOf(ctx, of, newestFirst("atmpt_", query).range);
  const found = await ctx.repos.attempts.countNewest(scope, filter, countRowsMax);
  return { count: found.count, approximated: found.more };
}

async function list(
  ctx: Context,
  of: AttemptsOf,
  query: AttemptListQuery,
  endpointId: string | null,
): Promise<Page<MessageAttemptOut>> {
  const { range, request } = newestFirst("atmpt_", query);
  const scope = scopeOf(ctx, of, range);
  const filter = toFilter(query, endpointId);
  // What is pending or under way is no attempt yet.
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

function toFilter(query: AttemptFilterQuery, endpointId: string | null): AttemptFilter | null {
  const { status, status_code_class: codeClass } = query;
  if (status === 1 || status === 3) return null;
  if (codeClass !== undefined && codeClass % 100 !== 0) {
    throw new AppError("generic_error", {
      detail: "Query parameter status_code_class: must be 0, 100, 200, 300, 400 or 500",
    });
  }
  return {
    status: (status ?? null) as AttemptStatus | null,
    statusCodes: codeClass === undefined ? null : { from: codeClass, to: codeClass + 99 },
    channel: query.channel ?? null,
    tag: query.tag ?? null,
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
