import { invalid } from "./errors.ts";

export type HeaderMap = Record<string, string>;

const words = (text: string) => new Set(text.split(/\s+/));
/** What Posthorn sets itself, what frames the exchange, and what proxies and clouds believe. */
const forbiddenNames = words(
  `user-agent keep-alive proxy-authenticate proxy-authorization te trailers transfer-encoding upgrade age
   cache-control clear-site-data expires pragma warning content-length content-type content-encoding content-language
   content-location host connection expect accept-encoding webhook-id webhook-timestamp webhook-signature`,
);
const forbiddenPrefixes = [...words("x-amz- x-amzn- x-google x-goog- x-gfe x-azure- x-fd- x-svix- svix-")];
const sensitiveNames = words(
  "x-auth-token x-api-key www-authenticate authorization proxy-authenticate proxy-authorization",
);
const valueBytesMax = 4096;
/** RFC 9110: a token. */
const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
/** Visible ASCII, blank and tab: what every HTTP client will send, with no line break to smuggle a header in. */
const valuePattern = /^[\t\x20-\x7e]*$/;

/** Whether the header is known to hold a credential. */
export const isSensitive = (name: string): boolean => sensitiveNames.has(name.toLowerCase());

/** Returns them unchanged; 422 about the first that may not be set. */
export function checkHeaders(headers: HeaderMap): HeaderMap {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const fault = (msg: string) => invalid(["body", "headers", name], msg);
    const lower = name.toLowerCase();
    if (!namePattern.test(name)) throw fault("is not a header name");
    if (forbiddenNames.has(lower) || forbiddenPrefixes.some((prefix) => lower.startsWith(prefix))) {
      throw fault("is a header that can't be set");
    }
    if (seen.has(lower)) throw fault("is named twice");
    if (!valuePattern.test(value)) throw fault("has characters that can't be sent");
    if (value.length > valueBytesMax) throw fault(`must have at most ${valueBytesMax} bytes`);
    seen.add(lower);
  }
  return headers;
}
