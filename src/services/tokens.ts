import { join } from "node:path";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Config } from "../config.ts";
import { readOrCreateSecret, readSecret } from "../lib/secret-file.ts";

/** What a token says: `sub` is an org (`org_…`) or an app (`app_…`), the latter with its `org`. */
export interface TokenClaims extends JWTPayload {
  sub: string;
  org?: string;
}

export interface TokenInput {
  secret: string;
  /** `org_…` or `app_…`. */
  subject: string;
  /** The org of an app token. */
  org?: string | undefined;
  expiresInSeconds: number;
  /** More claims, such as `feature_flags`; they can't replace the ones above. */
  claims?: Record<string, unknown>;
}

/** The org that operators' commands mean unless told otherwise: who moves over from svix-server finds the same tenant. */
export const defaultOrgId = "org_23rb8YdGqMT0qIzpgGwdXfHirMu";

const encoder = new TextEncoder();

/** Makes a JWT (HS256) that is valid from now on. */
export function signToken(input: TokenInput): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return draftToken({ ...input, issuedAtSeconds: nowSeconds })
    .setNotBefore(nowSeconds)
    .setExpirationTime(nowSeconds + Math.floor(input.expiresInSeconds))
    .sign(encoder.encode(input.secret));
}

/** Makes a JWT (HS256) that has no end of its own: the same out of the same input, whenever it is made. */
export function signLastingToken(
  input: Pick<TokenInput, "secret" | "subject" | "claims"> & { issuedAtSeconds: number },
): Promise<string> {
  return draftToken(input).sign(encoder.encode(input.secret));
}

function draftToken(input: Pick<TokenInput, "subject" | "org" | "claims"> & { issuedAtSeconds: number }) {
  return new SignJWT({ ...input.claims, ...(input.org !== undefined && { org: input.org }) })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer("posthorn")
    .setSubject(input.subject)
    .setIssuedAt(input.issuedAtSeconds);
}

/** The claims of a token that this secret signed (HS256, HS384 or HS512) and that is valid now; else null. */
export async function verifyToken(secret: string, jwt: string): Promise<TokenClaims | null> {
  try {
    const { payload } = await jwtVerify(jwt, encoder.encode(secret), {
      algorithms: ["HS256", "HS384", "HS512"],
    });
    const { sub, org } = payload;
    if (!isName(sub) || (org !== undefined && !isName(org))) return null;
    return payload as TokenClaims;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}

/** What PostgreSQL can hold as text: no NUL, and no half of a surrogate pair. */
const isName = (value: unknown): boolean =>
  typeof value === "string" && !value.includes("\u0000") && value.isWellFormed();

type SecretConfig = Pick<Config, "jwtSecret" | "dataDir" | "embedded">;

const secretPath = ({ dataDir }: SecretConfig) => join(dataDir, "jwt-secret");

/** The secret that tokens are signed with: JWT_SECRET, or in embedded mode the one in DATA_DIR. Null when there is none. */
export async function findJwtSecret(config: SecretConfig): Promise<string | null> {
  if (config.jwtSecret !== undefined) return config.jwtSecret;
  return config.embedded ? ((await readSecret(secretPath(config))) ?? null) : null;
}

/** The same for `serve`, which makes the one in DATA_DIR at its first start. */
export async function requireJwtSecret(config: SecretConfig): Promise<string> {
  if (config.jwtSecret !== undefined) return config.jwtSecret;
  if (config.embedded) return readOrCreateSecret(secretPath(config));
  // config.ts has refused to start already.
  throw new Error("JWT_SECRET is not set");
}
