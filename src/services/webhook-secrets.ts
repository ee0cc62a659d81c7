/**
 * The secrets of Standard Webhooks, as texts and as keys ready to use:
 * `whsec_` base64 of 24 to 75 random bytes (HMAC); `whsk_` base64 of an Ed25519 private key, 32 bytes of seed
 * and 32 of public key; `whpk_` base64 of the 32 bytes of public key.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";

export type WebhookKey =
  | { readonly kind: "hmac"; readonly state: Bun.CryptoHasher }
  | { readonly kind: "ed25519"; readonly privateKey: KeyObject | null; readonly publicKey: KeyObject };

// DER heads of RFC 8410: what follows is the 32 bytes of seed, or of public key.
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Prepares a secret for signing and verifying; keep the result, the preparing is the dear part.
 * @throws Error with a sentence that says what is wrong, without the secret.
 */
export function parseSecret(secret: string): WebhookKey {
  const bytes = secretBytes(secret);
  if (secret.startsWith("whsec_")) {
    if (bytes.length < 24 || bytes.length > 75) {
      throw new Error(`a whsec_ secret holds 24 to 75 bytes, this one ${bytes.length}`);
    }
    return { kind: "hmac", state: new Bun.CryptoHasher("sha256", bytes) };
  }
  if (secret.startsWith("whpk_")) {
    if (bytes.length !== 32) throw new Error(`a whpk_ key holds 32 bytes, this one ${bytes.length}`);
    return { kind: "ed25519", privateKey: null, publicKey: publicKeyOf(bytes) };
  }
  if (bytes.length !== 64) throw new Error(`a whsk_ key holds 64 bytes, this one ${bytes.length}`);
  const pkcs8 = Buffer.concat([PKCS8_HEAD, bytes.subarray(0, 32)]);
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const publicKey = publicKeyOf(bytes.subarray(32));
  if (!createPublicKey(privateKey).equals(publicKey)) {
    throw new Error("the halves of this whsk_ key don't belong together");
  }
  return { kind: "ed25519", privateKey, publicKey };
}

/** A new `whsec_` secret of 24 random bytes. */
export function generateSecret(): string {
  return `whsec_${randomBytes(24).toString("base64")}`;
}

/** A new `whsk_` key. */
export function generateSigningKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8_HEAD.length);
  const own = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(SPKI_HEAD.length);
  return `whsk_${Buffer.concat([seed, own]).toString("base64")}`;
}

/** What a receiver verifies with: a `whsec_` secret itself, for a `whsk_` key its `whpk_` half. */
export function verifyingSecret(secret: string): string {
  if (!secret.startsWith("whsk_")) return secret;
  return `whpk_${secretBytes(secret).subarray(32).toString("base64")}`;
}

function secretBytes(secret: string): Buffer {
  const [, encoded] = /^(?:whsec|whsk|whpk)_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  const bytes = Buffer.from(encoded ?? "", "base64");
  // Buffer reads base64 leniently: only what comes back the same was base64.
  if (!encoded || bytes.toString("base64") !== encoded) {
    throw new Error("a secret is whsec_, whsk_ or whpk_ followed by base64");
  }
  return bytes;
}

function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, bytes]), format: "der", type: "spki" });
}
