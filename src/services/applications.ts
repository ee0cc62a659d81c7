import { newId } from "../lib/ids.ts";
import { type OrderedPageQuery, type Page, page, pageRequest } from "../lib/pagination.ts";
import type { Application } from "../models/applications.ts";
import type { ApplicationIn, ApplicationOut, ApplicationPatch } from "../schemas/applications.ts";
import { mayAccessApplication, requireOrg } from "./authorization.ts";
import { mapUniqueViolation } from "./conflicts.ts";
import type { ActorContext, Context } from "./context.ts";
import { AppError, notFound } from "./errors.ts";
import { checkMetadata } from "./metadata.ts";
import { throttleRateOf } from "./throttle-rate.ts";

const toOut = (row: Application): ApplicationOut => ({
  id: row.id,
  uid: row.uid,
  name: row.name,
  throttleRate: row.throttleRate,
  rateLimit: row.throttleRate,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const fields = (input: ApplicationIn) => ({
  name: input.name,
  uid: input.uid ?? null,
  throttleRate: throttleRateOf(input) ?? null,
  metadata: checkMetadata(input.metadata ?? {}),
});

/** The application that the path names, if the actor may see it. Throws not_found otherwise. */
export async function findApplication(ctx: Context, ref: string): Promise<Application> {
  const application = await ctx.repos.applications.find(ctx.orgId, ref);
  if (!application || !mayAccessApplication(ctx, application.id)) throw notFound();
  return application;
}

export async function getApplication(ctx: Context, ref: string): Promise<ApplicationOut> {
  return toOut(await findApplication(ctx, ref));
}

export async function listApplications(ctx: Context, query: OrderedPageQuery): Promise<Page<ApplicationOut>> {
  requireOrg(ctx);
  const request = pageRequest(query, query.order ?? "ascending");
  return page(await ctx.repos.applications.list(ctx.orgId, request), request, (row) => row.id, toOut);
}

/**
 * @param options.id the one that it had elsewhere
 * @returns whether it was made now, or stood there already under its uid (only with `getIfExists`)
 */
export async function createApplication(
  ctx: ActorContext,
  input: ApplicationIn,
  options: { getIfExists: boolean; id?: string },
): Promise<{ created: boolean; application: ApplicationOut }> {
  requireOrg(ctx);
  const row = { id: options.id ?? newId("app_"), orgId: ctx.orgId, ...fields(input) };
  const inserted = await ctx.repos.applications.insert(row);
  if (inserted) return { created: true, application: toOut(inserted) };
  const existing =
    options.getIfExists && row.uid !== null ? await ctx.repos.applications.find(ctx.orgId, row.uid) : null;
  if (!existing) throw new AppError("conflict");
  return { created: false, application: toOut(existing) };
}

/** Replaces it, or makes a new one when the path names none. */
export async function upsertApplication(
  ctx: Context,
  ref: string,
  input: ApplicationIn,
): Promise<{ created: boolean; application: ApplicationOut }> {
  requireOrg(ctx);
  const row = await mapUniqueViolation(ctx.repos.applications.update(ctx.orgId, ref, fields(input)));
  if (!row) return createApplication(ctx, input, { getIfExists: false });
  return { created: false, application: toOut(row) };
}

export async function patchApplication(
  ctx: Context,
  ref: string,
  input: ApplicationPatch,
): Promise<ApplicationOut> {
  requireOrg(ctx);
  const throttleRate = throttleRateOf(input);
  const row = await mapUniqueViolation(
    ctx.repos.applications.update(ctx.orgId, ref, {
      ...(input.name !== undefined && { name: input.name }),
      ...(input.uid !== undefined && { uid: input.uid }),
      ...(throttleRate !== undefined && { throttleRate }),
      ...(input.metadata !== undefined && { metadata: checkMetadata(input.metadata) }),
    }),
  );
  if (!row) throw notFound();
  return toOut(row);
}

/** Its endpoints go with it: no worker finds one that is left of a deleted application. */
export async function deleteApplication(ctx: ActorContext, ref: string): Promise<void> {
  requireOrg(ctx);
  await ctx.repos.tx(async (tx) => {
    const id = await tx.applications.remove(ctx.orgId, ref);
    if (id === null) throw notFound();
    await tx.endpoints.removeAll(ctx.orgId, id);
  });
}
