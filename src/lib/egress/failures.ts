import type { Failure } from "./types.ts";

/** Where an exchange stands when its connection breaks. */
export type Stage = "connect" | "tls" | "exchange";

const CONNECT_MESSAGES: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset while connecting",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  EADDRNOTAVAIL: "network unreachable",
  ETIMEDOUT: "connecting timed out",
};

const TLS_MESSAGES: Record<string, string> = {
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  CERT_REVOKED: "the certificate is revoked",
  CERT_UNTRUSTED: "the certificate is not trusted",
  INVALID_PURPOSE: "the certificate is not for servers",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate's chain ends in an authority that is not trusted",
  UNABLE_TO_GET_ISSUER_CERT: "the certificate's issuer is not known, or its chain is incomplete",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate's issuer is not known, or its chain is incomplete",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate's issuer is not known, or its chain is incomplete",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is not for this host name",
  ECONNRESET: "the connection was closed during the TLS handshake",
  EPIPE: "the connection was closed during the TLS handshake",
};

/** The `code` that Node's and OpenSSL's errors carry; empty when there is none. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

/** Only the code counts: an error's own text may name what is none of the receiver's or customer's business. */
export function failureOf(code: string, stage: Stage): Failure {
  switch (stage) {
    case "connect":
      return { reason: "connect", message: CONNECT_MESSAGES[code] ?? "no connection could be made" };
    case "tls":
      return { reason: "tls", message: TLS_MESSAGES[code] ?? "the TLS handshake failed" };
    case "exchange":
      return {
        reason: "protocol",
        message:
          code === "ECONNRESET" || code === "EPIPE"
            ? "connection reset by the receiver"
            : "the connection broke",
      };
  }
}
