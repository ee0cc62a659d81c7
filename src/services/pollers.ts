import { ID_STEP_MS, idBound, idTime } from "../lib/ids.ts";
import { page, pageRequest } from "../lib/pagination.ts";
import { RawJson } from "../lib/raw-json.ts";
import type { Endpoint } from "../models/endpoints.ts";
import { isFiltered, type MessageFilter, type MessageRow } from "../repos/messages.ts";
import type { PollingEndpointOut } from "../schemas/pollers.ts";
import type { Context } from "./context.ts";
import { findEndpoint } from "./endpoints.ts";
import { AppError, notFound } from "./errors.ts";
import { hasPayload, toMessageOut } from "./messages.ts";
import { queryTime } from "./times.ts";

export type PollQuery = {
  limit?: number;
  iterator?: string;
  event_type?: string;
  channel?: string;
  after?: string;
};

/** @throws AppError not_found, generic_error for an endpoint that is called */
export async function findPolled(ctx: Context, appRef: string, ref: string): Promise<Endpoint> {
  const endpoint = await findEndpoint(ctx, appRef, ref);
  const { actor } = ctx;
  if (actor.kind === "app" && actor.pollerId !== null && actor.pollerId !== endpoint.id) throw notFound();
  if (!endpoint.polled) {
    throw new AppError("generic_error", {
      detail: "The endpoint is called: only one whose URL is `poll:` and a name is polled.",
    });
  }
  return endpoint;
}

/** One that can be read at the moment. @throws AppError as `findPolled`, and generic_error for one that is disabled */
export async function findPoller(ctx: Context, appRef: string, ref: string): Promise<Endpoint> {
  const endpoint = await findPolled(ctx, appRef, ref);
  if (endpoint.disabled) throw new AppError("generic_error", { detail: "The endpoint is disabled." });
  return endpoint;
}

/** Where reading starts unless told: every message that was accepted since the endpoint was made has a larger id. */
export const startOf = (endpoint: Endpoint): string =>
  idBound("msg_", idTime(endpoint.id).getTime() + ID_STEP_MS);

/** The application's messages past the iterator that the endpoint's filters let through as they are now, oldest first. */
export async function poll(
  ctx: Context,
  appRef: string,
  ref: string,
  query: PollQuery,
): Promise<PollingEndpointOut> {
  const endpoint = await findPoller(ctx, appRef, ref);
  const after = queryTime("after", query.after);
  const start = after === null ? startOf(endpoint) : idBound("msg_", after);
  const [position = start] = query.iterator?.split(".") ?? [];
  const filter = { eventType: query.event_type ?? null, channel: query.channel ?? null };
  return readPast(ctx, endpoint, after !== null && start > position ? start : position, query.limit, filter);
}

const everything = { eventType: null, channel: null };

/** What there is past a position. Nothing of it is missed: see repos/poll-fence.ts. */
export async function readPast(
  ctx: Context,
  endpoint: Endpoint,
  position: string,
  limit: number | undefined,
  only: { eventType: string | null; channel: string | null } = everything,
): Promise<PollingEndpointOut> {
  const { messages, pollers } = ctx.repos;
  const application = { orgId: ctx.orgId, appId: endpoint.appId };
  const nothing = { data: [], iterator: position, done: true };
  const newest = await pollers.newest({ ...application, afterId: position });
  if (newest === null) return nothing;
  const newestMs = idTime(newest).getTime();
  const arrivingMs = await pollers.raiseFence(newestMs);
  const end = idBound("msg_", Math.min(newestMs + ID_STEP_MS, arrivingMs ?? Number.POSITIVE_INFINITY));
  if (end <= position) return nothing;
  const scope = { ...application, from: position, to: end };
  const request = pageRequest({ iterator: position, ...(limit !== undefined && { limit }) }, "ascending");
  const filter = filterOf(endpoint, only);
  const rows = filter.eventTypes?.length === 0 ? [] : await messages.list(scope, request, filter, true);
  const short = rows.length <= request.limit && isFiltered(filter);
  const edge = short ? await messages.scannedTo(scope, request) : null;
  const { data, done, iterator } = page(rows, request, ({ id }) => id, toOut, edge);
  return { data, done, iterator: done || iterator === null ? end : iterator };
}

function filterOf(
  { eventTypes, channels }: Endpoint,
  { eventType, channel }: { eventType: string | null; channel: string | null },
): Required<MessageFilter> {
  const asked = eventType === null ? eventTypes : [eventType];
  return {
    eventTypes: asked?.filter((name) => eventTypes === null || eventTypes.includes(name)) ?? null,
    channels,
    channel,
    tag: null,
  };
}

function toOut(row: MessageRow): PollingEndpointOut["data"][number] {
  const out = { ...toMessageOut(row, true), headers: null };
  if (row.contentType === null || row.payload === null || !hasPayload(row)) return out;
  return { ...out, payload: rawPayload(row.payload), headers: { "content-type": row.contentType } };
}

/** A raw payload as an object, which is what readers take a payload for. */
function rawPayload(text: string): RawJson {
  const isObject = /^\s*\{/.test(text) && parses(text);
  return new RawJson(isObject ? text : JSON.stringify({ rawPayload: text }));
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
