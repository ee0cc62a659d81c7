import type { Target } from "./target.ts";
import type { Failure } from "./types.ts";

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 section 5.5: control characters but the tab; CR and LF would start a header or a request of their own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const FORBIDDEN_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** These say where a message ends, whom it is for, or what becomes of the connection: never a caller's business. */
const OWN = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

type NameKind = "plain" | "authorization" | "accept-encoding" | "accept" | "own" | "invalid";

const KNOWN_NAMES_MAX = 10_000;
const knownNames = new Map<string, NameKind>();

function classify(name: string): NameKind {
  if (!TOKEN.test(name)) return "invalid";
  const lower = name.toLowerCase();
  if (OWN.has(lower)) return "own";
  if (lower === "authorization" || lower === "accept-encoding" || lower === "accept") return lower;
  return "plain";
}

function kindOf(name: string): NameKind {
  let kind = knownNames.get(name);
  if (kind === undefined) {
    kind = classify(name);
    if (knownNames.size >= KNOWN_NAMES_MAX) knownNames.clear();
    knownNames.set(name, kind);
  }
  return kind;
}

const invalid = (name: string, what: string): Failure => ({
  reason: "protocol",
  message: `the header ${JSON.stringify(name.slice(0, 100))} ${what}`,
});

/**
 * The request up to and with the empty line; values travel as UTF-8. Names and values that could change the framing
 * are refused. A caller's `authorization` goes before the URL's userinfo; `accept` and `accept-encoding` are fixed,
 * the latter to `identity`, so that no body can grow by decompression.
 */
export function requestHead(
  target: Target,
  headers: Record<string, string>,
  bodyBytes: number,
): string | Failure {
  let head = target.headStart;
  let authorization = target.authorization;
  for (const name in headers) {
    const value = headers[name] as string;
    const kind = kindOf(name);
    if (kind === "invalid") return invalid(name, "is not a valid header name");
    if (kind === "own") return invalid(name, "can't be set");
    if (FORBIDDEN_IN_VALUE.test(value)) return invalid(name, "has a control character in its value");
    if (kind === "accept" || kind === "accept-encoding") continue;
    if (kind === "authorization") authorization = null;
    head += `${name}: ${value}\r\n`;
  }
  if (authorization !== null) head += `Authorization: ${authorization}\r\n`;
  return `${head}Accept-Encoding: identity\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
}
