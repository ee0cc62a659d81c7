import { idTime, newId } from "../lib/ids.ts";
import { type OrderedPageQuery, type Page, page, pageRequest } from "../lib/pagination.ts";
import type { Endpoint } from "../models/endpoints.ts";
import type { EndpointHealth } from "../repos/endpoint-health.ts";
import type { EndpointChanges } from "../repos/endpoints.ts";
import type {
  Breaker,
  EndpointDetailOut,
  EndpointIn,
  EndpointOut,
  EndpointPatch,
  EndpointUpdate,
} from "../schemas/endpoints.ts";
import { findApplication } from "./applications.ts";
import { applicationScope, mayAccessApplication } from "./authorization.ts";
import { mapUniqueViolation } from "./conflicts.ts";
import type { ActorContext, Context, EndpointContext } from "./context.ts";
import { checkSecret } from "./endpoint-secrets.ts";
import { checkEndpointUrl, isPolledUrl } from "./endpoint-urls.ts";
import { AppError, invalid, notFound } from "./errors.ts";
import { checkEventTypes } from "./event-types.ts";
import { checkHeaders } from "./header-rules.ts";
import { checkMetadata } from "./metadata.ts";
import { compileFilter } from "./payload-filters.ts";
import { throttleRateOf } from "./throttle-rate.ts";
import { generateSecret } from "./webhook-secrets.ts";

export const toEndpointOut = (row: Endpoint): EndpointOut => ({
  id: row.id,
  uid: row.uid,
  url: row.url,
  description: row.description,
  disabled: row.disabled,
  fifo: row.fifo,
  eventTypes: row.eventTypes,
  filterTypes: row.eventTypes,
  channels: row.channels,
  filter: row.filter,
  throttleRate: row.throttleRate,
  rateLimit: row.throttleRate,
  deliveryTimeoutMs: row.deliveryTimeoutMs,
  retrySchedule: row.retrySchedule,
  version: row.version,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

/** Half-open once its time is up: whoever claims next sends the probe. */
function toBreaker(health: EndpointHealth | null): Breaker {
  if (health === null) return { state: "closed", failures: 0, failingSince: null, until: null };
  const { openUntil, open } = health;
  return {
    state: openUntil === null ? "closed" : open ? "open" : "half-open",
    failures: health.consecutiveFailures,
    failingSince: health.failingSince.toISOString(),
    until: open ? (openUntil?.toISOString() ?? null) : null,
  };
}

/** A filter as it is stored: each name once, null for none. */
function filter<T extends string[] | null | undefined>(names: T): string[] | Exclude<T, string[]> | null {
  if (!Array.isArray(names)) return names as Exclude<T, string[]>;
  return names.length === 0 ? null : [...new Set(names)];
}

/** The event types under their name or under that of 1.x SDKs. */
const eventTypesOf = (input: EndpointPatch) =>
  filter(input.eventTypes === undefined ? input.filterTypes : input.eventTypes);

/** A filter on the payload as it is stored; undefined when the input says nothing of it. */
const filterOf = ({ filter }: EndpointPatch) =>
  filter === undefined ? undefined : { filter, filterPath: filter === null ? null : compileFilter(filter) };

const urlOf = (ctx: Pick<Context, "settings">, url: string) =>
  checkEndpointUrl(url, { httpsOnly: ctx.settings.endpointHttpsOnly });

const fields = (ctx: Pick<Context, "settings">, input: EndpointUpdate) => ({
  url: urlOf(ctx, input.url),
  uid: input.uid ?? null,
  description: input.description ?? "",
  disabled: input.disabled ?? false,
  fifo: input.fifo ?? false,
  eventTypes: eventTypesOf(input) ?? null,
  channels: filter(input.channels) ?? null,
  ...(filterOf(input) ?? { filter: null, filterPath: null }),
  throttleRate: throttleRateOf(input) ?? null,
  deliveryTimeoutMs: input.deliveryTimeoutMs ?? null,
  retrySchedule: input.retrySchedule ?? null,
  version: input.version ?? 1,
  metadata: checkMetadata(input.metadata ?? {}),
});

/** The endpoint that the path names, if the actor may see it. Throws not_found otherwise. */
export async function findEndpoint(ctx: ActorContext, appRef: string, ref: string): Promise<Endpoint> {
  const row = await ctx.repos.endpoints.find(applicationScope(ctx, appRef), ref);
  if (!row) throw notFound();
  return row;
}

export async function getEndpoint(ctx: Context, appRef: string, ref: string): Promise<EndpointDetailOut> {
  const row = await findEndpoint(ctx, appRef, ref);
  const health = await ctx.repos.endpointHealth.find(ctx.orgId, row.id);
  return { ...toEndpointOut(row), breaker: toBreaker(health) };
}

export async function listEndpoints(
  ctx: Context,
  appRef: string,
  query: OrderedPageQuery,
): Promise<Page<EndpointOut>> {
  const request = pageRequest(query, query.order ?? "descending");
  const rows = await ctx.repos.endpoints.list(applicationScope(ctx, appRef), request);
  // Nothing found may mean that there is no such application.
  if (rows.length === 0) await findApplication(ctx, appRef);
  return page(rows, request, (row) => row.id, toEndpointOut);
}

/** What is stored of an endpoint that is given in full, and its secret. Throws when something in it won't do. */
export function draftEndpoint(
  ctx: Pick<Context, "orgId" | "settings">,
  input: EndpointIn,
  id = newId("ep_"),
) {
  const row = {
    id,
    orgId: ctx.orgId,
    ...fields(ctx, input),
    polled: isPolledUrl(input.url),
    headers: checkHeaders(input.headers ?? {}),
  };
  const secret = input.secret ? checkSecret(input.secret, ["body", "secret"]) : generateSecret();
  return { row, secret };
}

/** @param id the one that it had elsewhere */
export async function createEndpoint(
  ctx: EndpointContext,
  appRef: string,
  input: EndpointIn,
  id?: string,
): Promise<EndpointOut> {
  const { row, secret } = draftEndpoint(ctx, input, id);
  await checkEventTypes(ctx, row.eventTypes);
  return ctx.repos.tx(async (tx) => {
    const { applications } = tx;
    const application = row.polled
      ? await applications.markPolled(ctx.orgId, appRef)
      : await applications.lock(ctx.orgId, appRef);
    if (!application || !mayAccessApplication(ctx, application.id)) throw notFound();
    const inserted = await tx.endpoints.insert({ ...row, appId: application.id });
    if (!inserted) throw new AppError("conflict");
    if (inserted.fifo) await tx.queue.openLine(ctx.orgId, inserted.id);
    await tx.endpointSecrets.insert(ctx.orgId, inserted.id, ctx.sealer.seal(secret));
    // What is accepted from here on has ids past this one, and is what there is to read.
    if (inserted.polled) await tx.pollers.raiseFence(idTime(inserted.id).getTime());
    tx.onCommit(() => ctx.events.emit(ctx.orgId, { type: "endpoint.created", endpoint: inserted }));
    return toEndpointOut(inserted);
  });
}

/**
 * Who enables an endpoint, or says that it stays so, vouches for it: without this the next failure would disable one
 * again that had been disabled for failing.
 */
async function vouch(ctx: Context, row: Endpoint): Promise<void> {
  if (!row.disabled) await ctx.repos.endpointHealth.forget(ctx.orgId, row.id);
}

/** Null when there is none. */
const updateEndpoint = (ctx: Context, appRef: string, ref: string, changes: EndpointChanges) =>
  mapUniqueViolation(
    ctx.repos.tx(async (tx) => {
      const row = await tx.endpoints.update(applicationScope(ctx, appRef), ref, changes);
      if (row?.fifo) await tx.queue.openLine(ctx.orgId, row.id);
      return row;
    }),
  );

function tellChanged(ctx: Context, endpoint: Endpoint & { wasDisabled: boolean }): void {
  ctx.events.emit(ctx.orgId, { type: "endpoint.updated", endpoint });
  if (endpoint.disabled === endpoint.wasDisabled) return;
  ctx.events.emit(
    ctx.orgId,
    endpoint.disabled
      ? { type: "endpoint.disabled", endpoint, trigger: "manual" }
      : { type: "endpoint.enabled", endpoint },
  );
}

/** What is called can't become what is polled, nor the other way. */
async function checkKind(ctx: Context, appRef: string, ref: string, url: string | undefined): Promise<void> {
  if (url === undefined) return;
  const row = await ctx.repos.endpoints.find(applicationScope(ctx, appRef), ref);
  if (row && row.polled !== isPolledUrl(url)) {
    throw invalid(
      ["body", "url"],
      row.polled ? "must be `poll:` and a name, as before" : "must be http or https",
    );
  }
}

/** Refuses an endpoint that nothing is ever sent to. @throws AppError generic_error */
export function requireCalled({ polled }: Pick<Endpoint, "polled">): void {
  if (polled)
    throw new AppError("generic_error", { detail: "The endpoint is polled: nothing is sent to it." });
}

/** Refuses an endpoint that nothing can be sent to now. @throws AppError generic_error */
export function requireSendable(endpoint: Pick<Endpoint, "disabled" | "polled">): void {
  requireCalled(endpoint);
  if (endpoint.disabled) throw new AppError("generic_error", { detail: "The endpoint is disabled." });
}

/** Replaces what the body can hold, or makes a new one when the path names none. Headers and secrets stay. */
export async function upsertEndpoint(
  ctx: Context,
  appRef: string,
  ref: string,
  input: EndpointUpdate,
): Promise<{ created: boolean; endpoint: EndpointOut }> {
  const changes = fields(ctx, input);
  await checkEventTypes(ctx, changes.eventTypes);
  await checkKind(ctx, appRef, ref, input.url);
  const row = await updateEndpoint(ctx, appRef, ref, changes);
  if (!row) return { created: true, endpoint: await createEndpoint(ctx, appRef, input) };
  await vouch(ctx, row);
  tellChanged(ctx, row);
  return { created: false, endpoint: toEndpointOut(row) };
}

export async function patchEndpoint(
  ctx: Context,
  appRef: string,
  ref: string,
  input: EndpointPatch,
): Promise<EndpointOut> {
  const eventTypes = eventTypesOf(input);
  const channels = filter(input.channels);
  const throttleRate = throttleRateOf(input);
  await checkEventTypes(ctx, eventTypes);
  await checkKind(ctx, appRef, ref, input.url);
  const row = await updateEndpoint(ctx, appRef, ref, {
    ...(input.url !== undefined && { url: urlOf(ctx, input.url) }),
    ...(input.uid !== undefined && { uid: input.uid }),
    ...(input.description !== undefined && { description: input.description }),
    ...(input.disabled !== undefined && { disabled: input.disabled }),
    ...(input.fifo !== undefined && { fifo: input.fifo }),
    ...(input.version !== undefined && { version: input.version ?? 1 }),
    ...(input.metadata !== undefined && { metadata: checkMetadata(input.metadata) }),
    ...(eventTypes !== undefined && { eventTypes }),
    ...(channels !== undefined && { channels }),
    ...filterOf(input),
    ...(throttleRate !== undefined && { throttleRate }),
    ...(input.deliveryTimeoutMs !== undefined && { deliveryTimeoutMs: input.deliveryTimeoutMs }),
    ...(input.retrySchedule !== undefined && { retrySchedule: input.retrySchedule }),
  });
  if (!row) throw notFound();
  if (input.disabled === false) await vouch(ctx, row);
  tellChanged(ctx, row);
  return toEndpointOut(row);
}

export async function deleteEndpoint(ctx: Context, appRef: string, ref: string): Promise<void> {
  const endpoint = await ctx.repos.endpoints.remove(applicationScope(ctx, appRef), ref);
  if (!endpoint) throw notFound();
  ctx.events.emit(ctx.orgId, { type: "endpoint.deleted", endpoint });
}
