import type { Actor } from "./context.ts";
import { AppError } from "./errors.ts";
import { verifyToken } from "./tokens.ts";

export type Authenticate = (authorization: string | null) => Actor | Promise<Actor>;

const cacheEntriesMax = 10_000;
const secretAsTokenDetail =
  "Authentication failed. JWT signing secrets can not be used as tokens, please refer to " +
  "https://github.com/svix/svix-webhooks#authentication for more information.";

const rejected = () => new AppError("authentication_failed");

/**
 * Who a bearer token stands for. A verified token is remembered until it expires, so that the steady state costs a
 * map look-up.
 * @throws AppError authentication_failed
 */
export function createAuthenticate(jwtSecret: string, now: () => number = Date.now): Authenticate {
  const verified = new Map<string, { actor: Actor; expiresAtMs: number }>();

  const verify = async (token: string): Promise<Actor> => {
    if (token === jwtSecret) throw new AppError("authentication_failed", { detail: secretAsTokenDetail });
    const claims = await verifyToken(jwtSecret, token);
    if (claims === null) throw rejected();
    const actor = actorOf(claims);
    if (verified.size >= cacheEntriesMax) verified.delete(verified.keys().next().value as string);
    verified.set(token, { actor, expiresAtMs: claims.exp === undefined ? Infinity : claims.exp * 1000 });
    return actor;
  };

  return (authorization) => {
    if (authorization === null || !/^bearer /i.test(authorization)) throw rejected();
    const token = authorization.slice(7).trim();
    const known = verified.get(token);
    if (known !== undefined) {
      if (known.expiresAtMs > now()) return known.actor;
      verified.delete(token);
      throw rejected();
    }
    return verify(token);
  };
}

function actorOf(claims: { sub?: string | undefined; org?: unknown; feature_flags?: unknown }): Actor {
  const { sub, org, feature_flags: flags } = claims;
  if (sub?.startsWith("org_")) return { kind: "org", orgId: sub };
  if (sub?.startsWith("app_") && typeof org === "string" && org.startsWith("org_")) {
    const featureFlags = Array.isArray(flags) ? flags.filter((flag) => typeof flag === "string") : [];
    return { kind: "app", orgId: org, appId: sub, featureFlags };
  }
  throw rejected();
}
