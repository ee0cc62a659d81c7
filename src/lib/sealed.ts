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
  seal(text: string): string;
  /** Throws when the text was sealed with a key that this process doesn't have, or was tampered with. */
  open(text: string): string;
};

/** @param key 32 bytes, or undefined to keep texts plain */
export function createSealer(key: Readonly<Uint8Array> | undefined): Sealer {
  if (key === undefined) {
    return {
      seal: (text) => text,
      open: (text) => {
        if (text.startsWith(scheme))
          throw new Error(`${headOf(text)} needs an encryption key, there is none`);
        return text;
      },
    };
  }
  const keyBytes = Buffer.from(key);
  const head = `${scheme}${createHash("sha256").update(keyBytes).digest("hex").slice(0, 8)}:`;
  return {
    seal(text) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", keyBytes, nonce).setAAD(Buffer.from(head));
      const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return head + sealed.toString("base64");
    },
    open(text) {
      if (!text.startsWith(scheme)) return text;
      if (!text.startsWith(head)) throw new Error(`${headOf(text)} was sealed with another encryption key`);
      const sealed = Buffer.from(text.slice(head.length), "base64");
      const decipher = createDecipheriv("aes-256-gcm", keyBytes, sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(head)).setAuthTag(sealed.subarray(-tagBytes));
      return (
        decipher.update(sealed.subarray(nonceBytes, -tagBytes), undefined, "utf8") + decipher.final("utf8")
      );
    },
  };
}

function headOf(text: string): string {
  return text.slice(0, text.indexOf(":", scheme.length));
}
