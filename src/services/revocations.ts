import { decodeJwt } from "jose";
import type { ApplicationTokenExpireIn } from "../schemas/portal-access.ts";
import { endApiKey } from "./api-keys.ts";
import { findApplication } from "./applications.ts";
import { audit } from "./audit.ts";
import { tokenHash } from "./authentication.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";

/** Ends the token that the request came with. Every process has heard of it within 5 s. */
export async function logOut(ctx: Context, token: string): Promise<void> {
  const { actor, orgId } = ctx;
  // The key is what asks, and it may always end itself.
  if (actor.kind === "key") return endApiKey(ctx, actor.keyId);
  // An org's token is its backend's, often the only one: a stray call must not lock the backend out.
  if (actor.kind !== "app") return;
  const { exp } = decodeJwt(token);
  const hash = tokenHash(token);
  await ctx.repos.tx(async (tx) => {
    const expiresAt = exp === undefined ? null : new Date(exp * 1000);
    await tx.revocations.revokeToken({ tokenHash: hash, orgId, expiresAt });
    await audit(ctx, tx, { action: "token.revoke", target: hash });
    await tx.revocations.announce(hash);
  });
}

/** Ends all tokens of an application that were issued up to now, or those of some sessions, at once or after a while. */
export async function expireAppTokens(
  ctx: Context,
  appRef: string,
  input: ApplicationTokenExpireIn,
): Promise<void> {
  requireOrg(ctx);
  const { id: appId } = await findApplication(ctx, appRef);
  const { orgId } = ctx;
  const issuedUntil = new Date();
  const endsAt = new Date(issuedUntil.getTime() + (input.expiry ?? 0) * 1000);
  const sessions = input.sessionIds?.length ? [...new Set(input.sessionIds)].sort() : [""];
  await ctx.repos.tx(async (tx) => {
    for (const sessionId of sessions) {
      await tx.revocations.endSession({ orgId, appId, sessionId, issuedUntil, endsAt });
    }
    await audit(ctx, tx, {
      action: "token.expire-all",
      target: appId,
      detail: { expiry: input.expiry ?? 0, sessionIds: input.sessionIds ?? null },
    });
    await tx.revocations.announce(appId);
  });
}
