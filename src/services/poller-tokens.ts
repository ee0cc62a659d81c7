import { newId } from "../lib/ids.ts";
import type { PollerToken } from "../models/poller-tokens.ts";
import type { PollerScope } from "../repos/poller-tokens.ts";
import type { PollerTokenOut, RotatePollerTokenIn } from "../schemas/poller-tokens.ts";
import { audit } from "./audit.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { AppError } from "./errors.ts";
import { findPolled } from "./pollers.ts";
import { signLastingToken } from "./tokens.ts";

/** A poller's token, made anew, the same, whenever somebody asks for it. */
export type SignPollerToken = (row: PollerToken) => Promise<string>;

export const createSignPollerToken =
  (secret: string): SignPollerToken =>
  ({ id, orgId, appId, endpointId, createdAt }) =>
    signLastingToken({
      secret,
      subject: appId,
      issuedAtSeconds: Math.floor(createdAt.getTime() / 1000),
      // Without capabilities: whoever knows nothing of pollers' tokens lets it do nothing.
      claims: { org: orgId, poller: endpointId, token: id, capabilities: [] },
    });

const oldTokenExpiryDefault = 300;

const toOut = async (row: PollerToken, sign: SignPollerToken): Promise<PollerTokenOut> => ({
  id: row.id,
  token: await sign(row),
  name: null,
  scopes: null,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
});

async function scopeOf(ctx: Context, appRef: string, ref: string): Promise<PollerScope> {
  requireOrg(ctx);
  const { id: endpointId, orgId, appId } = await findPolled(ctx, appRef, ref);
  return { orgId, appId, endpointId };
}

/** @throws AppError not_found, also while none was made or the last has ended */
export async function getPollerToken(
  ctx: Context,
  sign: SignPollerToken,
  appRef: string,
  ref: string,
): Promise<PollerTokenOut> {
  const row = await ctx.repos.pollerTokens.findCurrent(await scopeOf(ctx, appRef, ref));
  if (!row) throw new AppError("not_found", { detail: "The endpoint has no token: rotate makes one." });
  return toOut(row, sign);
}

/** Makes a token. Those before it end, at once or after a while; every process has heard of it within 5 s. */
export async function rotatePollerToken(
  ctx: Context,
  sign: SignPollerToken,
  appRef: string,
  ref: string,
  input: RotatePollerTokenIn,
): Promise<PollerTokenOut> {
  const scope = await scopeOf(ctx, appRef, ref);
  const row = await ctx.repos.tx(async (tx) => {
    const { pollerTokens, revocations } = tx;
    const before = await pollerTokens.expireAll(scope, input.oldTokenExpiry ?? oldTokenExpiryDefault);
    await pollerTokens.removeEnded(scope);
    const made = await pollerTokens.insert(scope, newId("poll_"), input.expiry ?? null);
    await audit(ctx, tx, { action: "poller-token.rotate", target: scope.endpointId });
    for (const id of before) await revocations.announce(id);
    return made;
  });
  return toOut(row, sign);
}
