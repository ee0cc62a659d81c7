import type { AppPortalAccessIn, AppPortalAccessOut } from "../schemas/portal-access.ts";
import { createApplication } from "./applications.ts";
import { requireOrg } from "./authorization.ts";
import { grantedCapabilities } from "./capabilities.ts";
import type { Context } from "./context.ts";
import { invalid, notFound } from "./errors.ts";
import { signToken } from "./tokens.ts";

/** Makes a token that is good for one application only. */
export type IssueAppToken = (grant: {
  orgId: string;
  appId: string;
  featureFlags: string[];
  capabilities: string[];
  sessionId: string | null;
  expiresInSeconds: number;
}) => Promise<string>;

export const createIssueAppToken =
  (secret: string): IssueAppToken =>
  ({ orgId, appId, featureFlags, capabilities, sessionId, expiresInSeconds }) =>
    signToken({
      secret,
      subject: appId,
      org: orgId,
      expiresInSeconds,
      claims: {
        feature_flags: featureFlags,
        capabilities,
        ...(sessionId !== null && { session_id: sessionId }),
        // `iat` has whole seconds, too coarse to tell a token from those that were ended just before it.
        issued_at_ms: Date.now(),
      },
    });

const expirySecondsDefault = 604_800;

/**
 * A token for an application's owner, and a link that carries it.
 * @param origin where this API is reached, `https://host`
 */
export async function createPortalAccess(
  ctx: Context,
  issue: IssueAppToken,
  origin: string,
  appRef: string,
  input: AppPortalAccessIn,
): Promise<AppPortalAccessOut> {
  requireOrg(ctx);
  if (input.capabilities && !input.capabilities.includes("ViewBase")) {
    throw invalid(["body", "capabilities"], "must have ViewBase among them");
  }
  const appId = await applicationId(ctx, appRef, input.application ?? null);
  const token = await issue({
    orgId: ctx.orgId,
    appId,
    featureFlags: input.featureFlags ?? [],
    capabilities: grantedCapabilities(input),
    sessionId: input.sessionId ?? null,
    expiresInSeconds: input.expiry ?? expirySecondsDefault,
  });
  const key = Buffer.from(JSON.stringify({ appId, token })).toString("base64url");
  // After the #, where neither logs nor proxies see it.
  return { url: `${origin}/app-portal#key=${key}`, token };
}

async function applicationId(
  ctx: Context,
  appRef: string,
  application: AppPortalAccessIn["application"] | null,
): Promise<string> {
  const found = await ctx.repos.applications.find(ctx.orgId, appRef);
  if (found) return found.id;
  if (!application) throw notFound();
  if (application.uid !== appRef)
    throw invalid(["body", "application", "uid"], "must be the uid in the path");
  const made = await createApplication(ctx, application, { getIfExists: true });
  return made.application.id;
}
