import { createHash } from "node:crypto";
import type { Repos } from "../repos/index.ts";
import { claimedCapabilities } from "./capabilities.ts";
import type { Actor } from "./context.ts";
import { AppError } from "./errors.ts";
import { type TokenClaims, verifyToken } from "./tokens.ts";

export type Authenticate = (authorization: string | null) => Actor | Promise<Actor>;

export type Authentication = {
  /**
   * Who a bearer token stands for. In the steady state it costs a map look-up.
   * @throws AppError authentication_failed
   */
  authenticate: Authenticate;
  /** Something was revoked or changed: keys (by id), tokens of applications (by id), single tokens (by hash). */
  forget(subjects: readonly string[]): void;
  /** Everything that had changed by then (Unix milliseconds) has been forgotten. */
  synced(atMs: number): void;
  /** When that was last; 0 for never. */
  readonly syncedAtMs: number;
  /** Which keys were used since the last call, and when. */
  takeUses(): { id: string; usedAt: Date }[];
};

export type AuthenticationParts = {
  jwtSecret: string;
  repos: Pick<Repos, "apiKeys" | "integrations" | "pollerTokens" | "revocations">;
  now?: () => number;
};

const cacheEntriesMax = 10_000;
/** How long a look at the database is believed when nothing is heard from it any more; revocations hold in 5 s. */
const trustMs = 4_000;
const secretAsTokenDetail =
  "Authentication failed. JWT signing secrets can not be used as tokens, please refer to " +
  "https://github.com/svix/svix-webhooks#authentication for more information.";

/** What is known of a token: whose it is (null: nobody's any more), until when, and what could change that. */
type Known = {
  actor: Actor | null;
  expiresAtMs: number;
  subjects: readonly string[];
  checkedAtMs: number;
};

const rejected = () => new AppError("authentication_failed");
export const tokenHash = (token: string): string => createHash("sha256").update(token).digest("hex");

/** The token of an `authorization` header. */
export function bearerToken(authorization: string | null): string {
  if (authorization === null || !/^bearer /i.test(authorization)) throw rejected();
  return authorization.slice(7).trim();
}

export function createAuthentication(parts: AuthenticationParts): Authentication {
  const { now = Date.now } = parts;
  const cache = new Map<string, Known>();
  const looking = new Map<string, Promise<Actor>>();
  const uses = new Map<string, number>();
  let syncedAtMs = 0;
  /** Grows with every `forget`, so that what was read before is not remembered after. */
  let generation = 0;

  const admit = ({ actor }: Known, atMs: number): Actor => {
    if (actor === null) throw rejected();
    if (actor.kind === "key") uses.set(actor.keyId, atMs);
    return actor;
  };

  const verify = async (token: string): Promise<Actor> => {
    try {
      const [startedIn, checkedAtMs] = [generation, now()];
      const found = await lookUp(parts, token, checkedAtMs);
      const known = { ...found, checkedAtMs };
      if (startedIn === generation) {
        if (cache.size >= cacheEntriesMax) cache.delete(cache.keys().next().value as string);
        cache.set(token, known);
      }
      return admit(known, checkedAtMs);
    } finally {
      looking.delete(token);
    }
  };

  return {
    authenticate(authorization) {
      const token = bearerToken(authorization);
      const known = cache.get(token);
      if (known !== undefined) {
        const atMs = now();
        if (known.expiresAtMs <= atMs) cache.delete(token);
        else if (Math.max(known.checkedAtMs, syncedAtMs) > atMs - trustMs) return admit(known, atMs);
      }
      let look = looking.get(token);
      if (look === undefined) {
        look = verify(token);
        looking.set(token, look);
      }
      return look;
    },
    forget(subjects) {
      if (subjects.length === 0) return;
      generation += 1;
      // A look that is under way may have read what is no longer so: who comes now must not join it.
      looking.clear();
      const gone = new Set(subjects);
      for (const [token, known] of cache) {
        if (known.subjects.some((subject) => gone.has(subject))) cache.delete(token);
      }
    },
    synced(atMs) {
      syncedAtMs = atMs;
    },
    get syncedAtMs() {
      return syncedAtMs;
    },
    takeUses() {
      const taken = [...uses].map(([id, atMs]) => ({ id, usedAt: new Date(atMs) }));
      uses.clear();
      return taken;
    },
  };
}

type Found = Omit<Known, "checkedAtMs">;

/** What the database says of a token. @throws AppError authentication_failed for one that never was any */
async function lookUp(parts: AuthenticationParts, token: string, atMs: number): Promise<Found> {
  const { jwtSecret, repos } = parts;
  if (token === jwtSecret) throw new AppError("authentication_failed", { detail: secretAsTokenDetail });
  if (token.startsWith("key_")) return lookUpKey(repos, token, atMs);
  const claims = await verifyToken(jwtSecret, token);
  if (claims === null) throw rejected();
  if (claims.integration !== undefined) return lookUpIntegration(repos, token, claims);
  if (claims.poller !== undefined) return lookUpPoller(repos, claims, atMs);
  const actor = actorOf(claims);
  const hash = tokenHash(token);
  const [revoked, endsAtMs] = await Promise.all([repos.revocations.isRevoked(hash), endOf(repos, claims)]);
  return {
    actor: revoked || endsAtMs <= atMs ? null : actor,
    expiresAtMs: revoked || endsAtMs <= atMs ? expiryOf(claims) : endsAtMs,
    subjects: actor.kind === "app" ? [hash, actor.appId] : [hash],
  };
}

async function lookUpKey(repos: AuthenticationParts["repos"], token: string, atMs: number): Promise<Found> {
  const row = await repos.apiKeys.findByHash(tokenHash(token));
  if (row === null) throw rejected();
  const endsAtMs = row.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const ended = row.revokedAt !== null || endsAtMs <= atMs;
  const actor: Actor = { kind: "key", orgId: row.orgId, keyId: row.id, scopes: row.scopes };
  return {
    actor: ended ? null : actor,
    expiresAtMs: ended ? Number.POSITIVE_INFINITY : endsAtMs,
    subjects: [row.id],
  };
}

/** An integration's key is good as long as no other was made. It may see what the integration is shown. */
async function lookUpIntegration(
  repos: AuthenticationParts["repos"],
  token: string,
  claims: TokenClaims,
): Promise<Found> {
  const { sub: appId, org: orgId, integration: id, generation } = claims;
  if (typeof id !== "string" || typeof orgId !== "string") throw rejected();
  const hash = tokenHash(token);
  const [revoked, row] = await Promise.all([
    repos.revocations.isRevoked(hash),
    repos.integrations.find({ orgId, appId }, id),
  ]);
  const good = !revoked && row !== null && row.keyGeneration === generation;
  return {
    actor: good ? actorOf({ sub: appId, org: orgId, feature_flags: row.featureFlags }) : null,
    expiresAtMs: expiryOf(claims),
    subjects: [hash, id],
  };
}

/** A poller's token is good until its row says otherwise. */
async function lookUpPoller(
  repos: AuthenticationParts["repos"],
  { sub: appId, org: orgId, poller: endpointId, token: id }: TokenClaims,
  atMs: number,
): Promise<Found> {
  if (typeof orgId !== "string" || typeof endpointId !== "string" || typeof id !== "string") throw rejected();
  const row = await repos.pollerTokens.find({ orgId, appId, endpointId }, id);
  const endsAtMs = row?.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const good = row !== null && endsAtMs > atMs;
  const owner = { kind: "app", orgId, appId, featureFlags: [], capabilities: [] } as const;
  return {
    actor: good ? { ...owner, pollerId: endpointId } : null,
    expiresAtMs: good ? endsAtMs : Number.POSITIVE_INFINITY,
    subjects: [id],
  };
}

const expiryOf = (claims: TokenClaims): number =>
  claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000;

/** When the token ends, by itself or by decree, in Unix milliseconds. */
async function endOf(repos: AuthenticationParts["repos"], claims: TokenClaims): Promise<number> {
  const expiresAtMs = expiryOf(claims);
  if (!claims.sub.startsWith("app_")) return expiresAtMs;
  const { session_id: sessionId, issued_at_ms: issuedAtMs, iat = 0 } = claims;
  const endsAt = await repos.revocations.sessionEnd({
    appId: claims.sub,
    sessionId: typeof sessionId === "string" ? sessionId : "",
    // `iat` is in whole seconds: a token without the finer claim counts as made at the start of its second.
    issuedAt: new Date(typeof issuedAtMs === "number" ? issuedAtMs : iat * 1000),
  });
  return Math.min(expiresAtMs, endsAt?.getTime() ?? Number.POSITIVE_INFINITY);
}

function actorOf({ sub, org, feature_flags: flags, capabilities }: TokenClaims): Actor {
  if (sub.startsWith("org_")) return { kind: "org", orgId: sub };
  if (sub.startsWith("app_") && typeof org === "string" && org.startsWith("org_")) {
    const featureFlags = Array.isArray(flags) ? flags.filter((flag) => typeof flag === "string") : [];
    return {
      kind: "app",
      orgId: org,
      appId: sub,
      featureFlags,
      capabilities: claimedCapabilities(capabilities),
      pollerId: null,
    };
  }
  throw rejected();
}
