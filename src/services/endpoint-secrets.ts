import type { EndpointSecretOut, EndpointSecretRotateIn } from "../schemas/endpoint-secrets.ts";
import { applicationScope } from "./authorization.ts";
import type { Context } from "./context.ts";
import { AppError, invalid, notFound } from "./errors.ts";
import { generateSecret, generateSigningKey, parseSecret, verifyingSecret } from "./webhook-secrets.ts";

const graceSecondsDefault = 86_400;
/** How many replaced secrets may sign beside the current one. */
const oldSecretsMax = 10;

/** The secret with its prefix; 422 when it can't sign. */
export function checkSecret(given: string, loc: string[]): string {
  const secret = given.includes("_") ? given : `whsec_${given}`;
  try {
    parseSecret(secret);
    return secret;
  } catch (error) {
    throw invalid(loc, error instanceof Error ? error.message : "is not a secret");
  }
}

export async function getEndpointSecret(
  ctx: Context,
  appRef: string,
  ref: string,
): Promise<EndpointSecretOut> {
  const sealed = await ctx.repos.endpointSecrets.findCurrent(applicationScope(ctx, appRef), ref);
  if (sealed === null) throw notFound();
  return { key: verifyingSecret(ctx.sealer.open(sealed)) };
}

/** The old secret signs beside the new one for the grace period. One that is generated is of the old one's kind. */
export async function rotateEndpointSecret(
  ctx: Context,
  appRef: string,
  ref: string,
  input: EndpointSecretRotateIn,
): Promise<void> {
  const given = input.key ? checkSecret(input.key, ["body", "key"]) : null;
  const graceSeconds = input.gracePeriodSeconds ?? graceSecondsDefault;
  await ctx.repos.tx(async (tx) => {
    const endpointId = await tx.endpoints.touch(applicationScope(ctx, appRef), ref);
    if (endpointId === null) throw notFound();
    const live = await tx.endpointSecrets.prune(ctx.orgId, endpointId);
    if (graceSeconds > 0 && live.filter((one) => one.expiresAt !== null).length >= oldSecretsMax) {
      throw new AppError("limit_reached", {
        detail: `At most ${oldSecretsMax} old secrets can be live. Wait until one has expired.`,
      });
    }
    const secret = given ?? generateLike(live.find((one) => one.expiresAt === null)?.secret, ctx);
    await tx.endpointSecrets.expireCurrent(ctx.orgId, endpointId, graceSeconds);
    await tx.endpointSecrets.insert(ctx.orgId, endpointId, ctx.sealer.seal(secret));
  });
}

function generateLike(sealed: string | undefined, ctx: Context): string {
  const isSigningKey = sealed !== undefined && ctx.sealer.open(sealed).startsWith("whsk_");
  return isSigningKey ? generateSigningKey() : generateSecret();
}
