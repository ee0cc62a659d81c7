import type { Failure } from "./types.ts";

/** How the body's end is found: a length in bytes, chunks, or the end of the connection. */
export type Framing = number | "chunked" | "close";

export type ResponseHead = {
  status: number;
  headers: Record<string, string>;
  framing: Framing;
  /** Whether the connection may carry another request afterwards. */
  reusable: boolean;
};

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const broken = (message: string): Failure => ({ reason: "protocol", message });

function framingOf(status: number, headers: Record<string, string>): Framing | Failure {
  if (status === 204 || status === 304 || status < 200) return 0;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined) {
    if (coding.toLowerCase() === "chunked") return "chunked";
    return broken("the response has a transfer encoding other than chunked");
  }
  const length = headers["content-length"];
  if (length === undefined) return "close";
  if (!/^\d{1,15}$/.test(length)) return broken("the response's content-length is not a number");
  return Number(length);
}

const KNOWN_NAMES_MAX = 1_000;
const knownNames = new Map<string, string>();

/** In lower case; null for what is no header name. */
function nameOf(raw: string): string | null {
  const known = knownNames.get(raw);
  if (known !== undefined) return known;
  if (!NAME.test(raw)) return null;
  const name = raw.toLowerCase();
  if (raw.length <= 64 && knownNames.size < KNOWN_NAMES_MAX) knownNames.set(raw, name);
  return name;
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf("\r\n", start);
  return end < 0 ? text.length : end;
}

/** Reads a response head (RFC 9112) without its final empty line. `text` holds one character a byte. */
export function parseResponseHead(text: string): ResponseHead | Failure {
  const statusEnd = lineEnd(text, 0);
  const match = STATUS_LINE.exec(text.slice(0, statusEnd));
  if (match === null) return broken("the answer is not an HTTP/1.1 response");
  const status = Number(match[2]);
  // A header may be called "__proto__" or "constructor".
  const headers: Record<string, string> = Object.setPrototypeOf({}, null);
  for (let start = statusEnd + 2; start < text.length; ) {
    const end = lineEnd(text, start);
    const colon = text.indexOf(":", start);
    const name = colon > start && colon < end ? nameOf(text.slice(start, colon)) : null;
    if (name === null) return broken("the response has a malformed header");
    const value = text.slice(colon + 1, end).trim();
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`;
    start = end + 2;
  }
  const framing = framingOf(status, headers);
  if (typeof framing === "object") return framing;
  const reusable =
    match[1] === "1" &&
    framing !== "close" &&
    !(framing === "chunked" && headers["content-length"] !== undefined) &&
    !/\bclose\b/i.test(headers.connection ?? "");
  return { status, headers, framing, reusable };
}
