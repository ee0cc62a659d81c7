import { newId } from "../lib/ids.ts";
import type { OrderedPageQuery, Page } from "../lib/pagination.ts";
import type { EndpointHeadersOut } from "../schemas/endpoint-headers.ts";
import type { EndpointSecretOut, EndpointSecretRotateIn } from "../schemas/endpoint-secrets.ts";
import type { EndpointOut } from "../schemas/endpoints.ts";
import type {
  OperationalEndpointDetailOut,
  OperationalEndpointIn,
  OperationalEndpointOut,
  OperationalEndpointUpdate,
} from "../schemas/operational-endpoints.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { getEndpointHeaders, replaceEndpointHeaders } from "./endpoint-headers.ts";
import { getEndpointSecret, rotateEndpointSecret } from "./endpoint-secrets.ts";
import { refusePolledUrl } from "./endpoint-urls.ts";
import { createEndpoint, deleteEndpoint, getEndpoint, listEndpoints, upsertEndpoint } from "./endpoints.ts";
import { operationalAppUid, operationalEventTypes, operationalOrg } from "./operational-events.ts";

/** The same rules as for any endpoint, in the org beside the actor's own. */
function inside(ctx: Context): Context {
  requireOrg(ctx);
  return { ...ctx, orgId: operationalOrg(ctx.orgId) };
}

const toOut = <E extends EndpointOut>({
  channels: _,
  version: __,
  filter: ___,
  ...endpoint
}: E): Omit<E, "channels" | "version" | "filter"> => endpoint;

/** The application that they stand in, and the event types that they may choose from; both are made when first needed. */
async function prepare({ repos, orgId }: Context): Promise<void> {
  await repos.applications.insert({
    id: newId("app_"),
    orgId,
    uid: operationalAppUid,
    name: "Operational webhooks",
  });
  const descriptions: Readonly<Record<string, string>> = operationalEventTypes;
  const missing = await repos.eventTypes.missing({ orgId, featureFlags: null }, Object.keys(descriptions));
  for (const name of missing) {
    await repos.eventTypes.insert({
      id: newId("evtype_"),
      orgId,
      name,
      description: descriptions[name] ?? "",
    });
  }
}

export async function listOperationalEndpoints(
  ctx: Context,
  query: OrderedPageQuery,
): Promise<Page<OperationalEndpointOut>> {
  const own = inside(ctx);
  const application = await own.repos.applications.find(own.orgId, operationalAppUid);
  if (!application) return { data: [], done: true, iterator: null, prevIterator: null };
  const { data, ...page } = await listEndpoints(own, operationalAppUid, query);
  return { data: data.map(toOut), ...page };
}

export async function createOperationalEndpoint(
  ctx: Context,
  input: OperationalEndpointIn,
): Promise<OperationalEndpointOut> {
  const own = inside(ctx);
  refusePolledUrl(input.url);
  await prepare(own);
  const endpoint = await createEndpoint(own, operationalAppUid, { ...input, filter: null });
  ctx.events.forget(ctx.orgId);
  return toOut(endpoint);
}

export async function getOperationalEndpoint(
  ctx: Context,
  ref: string,
): Promise<OperationalEndpointDetailOut> {
  return toOut(await getEndpoint(inside(ctx), operationalAppUid, ref));
}

export async function upsertOperationalEndpoint(
  ctx: Context,
  ref: string,
  input: OperationalEndpointUpdate,
): Promise<{ created: boolean; endpoint: OperationalEndpointOut }> {
  const own = inside(ctx);
  refusePolledUrl(input.url);
  await prepare(own);
  const { created, endpoint } = await upsertEndpoint(own, operationalAppUid, ref, {
    ...input,
    filter: null,
  });
  ctx.events.forget(ctx.orgId);
  return { created, endpoint: toOut(endpoint) };
}

export async function deleteOperationalEndpoint(ctx: Context, ref: string): Promise<void> {
  await deleteEndpoint(inside(ctx), operationalAppUid, ref);
  ctx.events.forget(ctx.orgId);
}

export const getOperationalHeaders = async (ctx: Context, ref: string): Promise<EndpointHeadersOut> =>
  getEndpointHeaders(inside(ctx), operationalAppUid, ref);

export const replaceOperationalHeaders = async (
  ctx: Context,
  ref: string,
  headers: Record<string, string>,
): Promise<void> => replaceEndpointHeaders(inside(ctx), operationalAppUid, ref, headers);

export const getOperationalSecret = async (ctx: Context, ref: string): Promise<EndpointSecretOut> =>
  getEndpointSecret(inside(ctx), operationalAppUid, ref);

export const rotateOperationalSecret = async (
  ctx: Context,
  ref: string,
  input: EndpointSecretRotateIn,
): Promise<void> => rotateEndpointSecret(inside(ctx), operationalAppUid, ref, input);
