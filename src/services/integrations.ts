import { newId } from "../lib/ids.ts";
import { type OrderedPageQuery, type Page, page, pageRequest } from "../lib/pagination.ts";
import type { Integration } from "../models/integrations.ts";
import type { IntegrationIn, IntegrationKeyOut, IntegrationOut } from "../schemas/integrations.ts";
import { findApplication } from "./applications.ts";
import { audit } from "./audit.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { notFound } from "./errors.ts";
import { signLastingToken } from "./tokens.ts";

/**
 * An integration's key: a token of its application. It is made anew, the same, whenever somebody asks for it, so that
 * it is stored nowhere; the generation that it names tells it from those before.
 */
export type SignIntegrationKey = (integration: Integration) => Promise<string>;

export const createSignIntegrationKey =
  (secret: string): SignIntegrationKey =>
  ({ id, orgId, appId, keyGeneration, keyIssuedAt }) =>
    signLastingToken({
      secret,
      subject: appId,
      issuedAtSeconds: Math.floor(keyIssuedAt.getTime() / 1000),
      claims: { org: orgId, integration: id, generation: keyGeneration },
    });

const toOut = (row: Integration): IntegrationOut => ({
  id: row.id,
  name: row.name,
  featureFlags: row.featureFlags,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

const fields = (input: IntegrationIn) => ({
  name: input.name,
  featureFlags: input.featureFlags?.length ? [...new Set(input.featureFlags)] : null,
});

async function scopeOf(ctx: Context, appRef: string): Promise<{ orgId: string; appId: string }> {
  requireOrg(ctx);
  return { orgId: ctx.orgId, appId: (await findApplication(ctx, appRef)).id };
}

/** Newest first unless told. */
export async function listIntegrations(
  ctx: Context,
  appRef: string,
  query: OrderedPageQuery,
): Promise<Page<IntegrationOut>> {
  const scope = await scopeOf(ctx, appRef);
  const request = pageRequest(query, query.order ?? "descending");
  return page(await ctx.repos.integrations.list(scope, request), request, (row) => row.id, toOut);
}

export async function createIntegration(
  ctx: Context,
  appRef: string,
  input: IntegrationIn,
): Promise<IntegrationOut> {
  const scope = await scopeOf(ctx, appRef);
  return toOut(await ctx.repos.integrations.insert({ id: newId("integ_"), ...scope, ...fields(input) }));
}

export async function getIntegration(ctx: Context, appRef: string, id: string): Promise<IntegrationOut> {
  return toOut(await find(ctx, appRef, id));
}

export async function updateIntegration(
  ctx: Context,
  appRef: string,
  id: string,
  input: IntegrationIn,
): Promise<IntegrationOut> {
  const scope = await scopeOf(ctx, appRef);
  return ctx.repos.tx(async (tx) => {
    const row = await tx.integrations.update(scope, id, fields(input));
    if (!row) throw notFound();
    await tx.revocations.announce(id);
    return toOut(row);
  });
}

/** Its key ends with it; every process has heard of it within 5 s. */
export async function deleteIntegration(ctx: Context, appRef: string, id: string): Promise<void> {
  const scope = await scopeOf(ctx, appRef);
  await ctx.repos.tx(async (tx) => {
    if (!(await tx.integrations.remove(scope, id))) throw notFound();
    await audit(ctx, tx, {
      action: "integration.delete",
      target: id,
    });
    await tx.revocations.announce(id);
  });
}

export async function getIntegrationKey(
  ctx: Context,
  sign: SignIntegrationKey,
  appRef: string,
  id: string,
): Promise<IntegrationKeyOut> {
  return { key: await sign(await find(ctx, appRef, id)) };
}

/** Makes another key; the one before ends at once, everywhere within 5 s. */
export async function rotateIntegrationKey(
  ctx: Context,
  sign: SignIntegrationKey,
  appRef: string,
  id: string,
): Promise<IntegrationKeyOut> {
  const scope = await scopeOf(ctx, appRef);
  const row = await ctx.repos.tx(async (tx) => {
    const rotated = await tx.integrations.rotateKey(scope, id);
    if (!rotated) throw notFound();
    await audit(ctx, tx, {
      action: "integration.rotate-key",
      target: id,
    });
    await tx.revocations.announce(id);
    return rotated;
  });
  return { key: await sign(row) };
}

async function find(ctx: Context, appRef: string, id: string): Promise<Integration> {
  const row = await ctx.repos.integrations.find(await scopeOf(ctx, appRef), id);
  if (!row) throw notFound();
  return row;
}
