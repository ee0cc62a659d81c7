import type { EndpointHeadersOut, EndpointHeadersPatchIn } from "../schemas/endpoint-headers.ts";
import { applicationScope } from "./authorization.ts";
import type { Context } from "./context.ts";
import { findEndpoint } from "./endpoints.ts";
import { notFound } from "./errors.ts";
import { checkHeaders, type HeaderMap, isSensitive } from "./header-rules.ts";

/** Values of headers that are known to hold credentials are not shown. */
export async function getEndpointHeaders(
  ctx: Context,
  appRef: string,
  ref: string,
): Promise<EndpointHeadersOut> {
  const { headers } = await findEndpoint(ctx, appRef, ref);
  const entries = Object.entries(headers);
  return {
    headers: Object.fromEntries(entries.filter(([name]) => !isSensitive(name))),
    sensitive: entries.map(([name]) => name).filter(isSensitive),
  };
}

export async function replaceEndpointHeaders(
  ctx: Context,
  appRef: string,
  ref: string,
  headers: HeaderMap,
): Promise<void> {
  const changes = { headers: checkHeaders(headers) };
  if (!(await ctx.repos.endpoints.update(applicationScope(ctx, appRef), ref, changes))) throw notFound();
}

/** A header takes the place of one whose name differs only in case. */
export async function patchEndpointHeaders(
  ctx: Context,
  appRef: string,
  ref: string,
  input: EndpointHeadersPatchIn,
): Promise<void> {
  const given = Object.entries(input.headers ?? {});
  const add = checkHeaders(
    Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== null)),
  );
  const remove = [...given.map(([name]) => name), ...(input.deleteHeaders ?? [])].map((name) =>
    name.toLowerCase(),
  );
  const merged = await ctx.repos.endpoints.mergeHeaders(applicationScope(ctx, appRef), ref, { remove, add });
  if (!merged) throw notFound();
}
