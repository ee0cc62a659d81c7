/**
 * Text sealed for the database: `enc:v1:<key id>:<base64>`, AES-256-GCM over 12 bytes of nonce, the ciphertext and
 * 16 bytes of tag, bound to its own head. Without a key texts stay as they are, and what was written before there was
 * a key still opens.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

const scheme = "enc:v1:";
const nonceBytes = 12;
const tagBytes = 16;

export type Sealer = {
  /** What names the key that seals in all that it seals: 8 hex digits. Null without a key. */
  keyId: string | null;
  /** The keys that it opens with, in their order. */
  keyIds: readonly string[];
  seal(text: string): string;
  /** Throws when the text was sealed with a key that this process doesn't have, or was tampered with. */
  open(text: string): string;
};

/** @param keys 32 bytes each: the first seals, all open. None keeps texts plain. */
export function createSealer(keys: readonly Readonly<Uint8Array>[] = []): Sealer {
  const byId = new Map(keys.map((key) => [keyIdOf(key), Buffer.from(key)]));
  const [first] = byId;
  return {
    keyId: first?.[0] ?? null,
    keyIds: [...byId.keys()],
    seal: (text) => (first === undefined ? text : seal(text, ...first)),
    open(text) {
      const keyId = sealedUnder(text);
      if (keyId === null) return text;
      const key = byId.get(keyId);
      if (key !== undefined) return open(text, keyId, key);
      const why =
        keys.length === 0 ? "needs an encryption key, there is none" : "was sealed with another key";
      throw new Error(`${scheme}${keyId} ${why}`);
    },
  };
}

/** The id of the key that a text is sealed with; null for one that is plain. */
export function sealedUnder(text: string): string | null {
  return text.startsWith(scheme) ? text.slice(scheme.length, text.indexOf(":", scheme.length)) : null;
}

const keyIdOf = (key: Readonly<Uint8Array>): string =>
  createHash("sha256").update(Buffer.from(key)).digest("hex").slice(0, 8);

function seal(text: string, keyId: string, key: Buffer): string {
  const head = `${scheme}${keyId}:`;
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(head));
  const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return head + sealed.toString("base64");
}

function open(text: string, keyId: string, key: Buffer): string {
  const head = `${scheme}${keyId}:`;
  const sealed = Buffer.from(text.slice(head.length), "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(head)).setAuthTag(sealed.subarray(-tagBytes));
  return decipher.update(sealed.subarray(nonceBytes, -tagBytes), undefined, "utf8") + decipher.final("utf8");
}
