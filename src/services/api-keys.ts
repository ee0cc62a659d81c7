import { randomBytes } from "node:crypto";
import { newId } from "../lib/ids.ts";
import { type OrderedPageQuery, type Page, page, pageRequest } from "../lib/pagination.ts";
import { type ApiKey, type ApiKeyScope, apiKeyScopes } from "../models/api-keys.ts";
import type { ApiKeyCreatedOut, ApiKeyIn, ApiKeyOut } from "../schemas/api-keys.ts";
import { audit } from "./audit.ts";
import { tokenHash } from "./authentication.ts";
import { requireOrg } from "./authorization.ts";
import type { ActorContext } from "./context.ts";
import { notFound } from "./errors.ts";

const tokenBytes = 32;
const hintLength = 4;
const scopesDefault: ApiKeyScope[] = ["read", "write"];

const toOut = (row: ApiKey): ApiKeyOut => ({
  id: row.id,
  censoredToken: `key_…${row.hint}`,
  name: row.name,
  scopes: row.scopes,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
});

/** Makes a key. Its token is in the answer and nowhere else. */
export async function createApiKey(ctx: ActorContext, input: ApiKeyIn): Promise<ApiKeyCreatedOut> {
  requireOrg(ctx);
  const token = `key_${randomBytes(tokenBytes).toString("base64url")}`;
  const wanted = new Set(input.scopes ?? scopesDefault);
  const scopes = apiKeyScopes.filter((scope) => wanted.has(scope));
  const row = await ctx.repos.tx(async (tx) => {
    const inserted = await tx.apiKeys.insert({
      id: newId("key_"),
      orgId: ctx.orgId,
      name: input.name,
      scopes,
      tokenHash: tokenHash(token),
      hint: token.slice(-hintLength),
      expiresAt: input.expiry ? new Date(Date.now() + input.expiry * 1000) : null,
    });
    await audit(ctx, tx, {
      action: "api-key.create",
      target: inserted.id,
      detail: { name: input.name, scopes, expiresAt: inserted.expiresAt?.toISOString() ?? null },
    });
    return inserted;
  });
  const { censoredToken: _, lastUsedAt: __, ...shown } = toOut(row);
  return { token, ...shown };
}

/** Newest first unless told; those that were revoked are not shown. */
export async function listApiKeys(ctx: ActorContext, query: OrderedPageQuery): Promise<Page<ApiKeyOut>> {
  requireOrg(ctx);
  const request = pageRequest(query, query.order ?? "descending");
  return page(await ctx.repos.apiKeys.list(ctx.orgId, request), request, (row) => row.id, toOut);
}

export async function getApiKey(ctx: ActorContext, id: string): Promise<ApiKeyOut> {
  requireOrg(ctx);
  const row = await ctx.repos.apiKeys.find(ctx.orgId, id);
  if (!row) throw notFound();
  return toOut(row);
}

/** Ends a key, at once or so many seconds from now. Every process has heard of it within 5 s. */
export async function endApiKey(ctx: ActorContext, id: string, inSeconds = 0): Promise<void> {
  requireOrg(ctx);
  await ctx.repos.tx(async (tx) => {
    const { apiKeys } = tx;
    const ended =
      inSeconds === 0 ? await apiKeys.revoke(ctx.orgId, id) : await apiKeys.expire(ctx.orgId, id, inSeconds);
    if (!ended) throw notFound();
    await audit(ctx, tx, {
      action: "api-key.revoke",
      target: id,
      detail: { inSeconds },
    });
    await tx.revocations.announce(id);
  });
}
