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

/** Reads a response head (RFC 9112) without its final empty line. `text` holds one character a byte. */
export function parseResponseHead(text: string): ResponseHead | Failure {
  const lines = text.split("\r\n");
  const match = STATUS_LINE.exec(lines[0] as string);
  if (match === null) return broken("the answer is not an HTTP/1.1 response");
  const status = Number(match[2]);
  const headers: Record<string, string> = Object.create(null);
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] as string;
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (colon < 1 || !NAME.test(name)) return broken("the response has a malformed header");
    const value = line.slice(colon + 1).trim();
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}, ${value}`;
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
