import { isIP } from "node:net";
import { isDeniedName } from "./guard.ts";
import type { Failure } from "./types.ts";

/** What a URL says about where and how to send, worked out once per URL. */
export type Target = {
  tls: boolean;
  /** A name, or an address without brackets. */
  host: string;
  isLiteral: boolean;
  /** The name that the certificate must carry; null for an address. */
  serverName: string | null;
  port: number;
  /** Connections are shared within one origin only: scheme, host as written, port. */
  origin: string;
  /** Request line, `Host`, `Accept`. */
  headStart: string;
  /** From the URL's userinfo. */
  authorization: string | null;
};

const CACHED_URLS_MAX = 10_000;
const CACHED_URL_LENGTH_MAX = 2_048;

const basicAuthorization = (url: URL): string | null => {
  if (url.username === "" && url.password === "") return null;
  const pair = `${decodeUserinfo(url.username)}:${decodeUserinfo(url.password)}`;
  return `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
};

/** A stray `%` is legal in a WHATWG URL and stands for itself. */
function decodeUserinfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads a URL; the fragment is dropped and the userinfo becomes a Basic authorization. */
export function parseTarget(text: string): Target | Failure {
  const url = URL.parse(text);
  if (url === null) return { reason: "protocol", message: "the URL is not valid" };
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return {
      reason: "protocol",
      message: `${url.protocol}// URLs can't be called, only http:// and https://`,
    };
  const tls = url.protocol === "https:";
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  if (isDeniedName(host))
    return { reason: "blocked", message: `blocked: ${host} is the name of a cloud metadata service` };
  const isLiteral = isIP(host) !== 0;
  return {
    tls,
    host,
    isLiteral,
    serverName: isLiteral ? null : host.endsWith(".") ? host.slice(0, -1) : host,
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    origin: url.origin,
    headStart: `POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: */*\r\n`,
    authorization: basicAuthorization(url),
  };
}

/** `parseTarget` with a bounded memory: the oldest URL goes first. */
export function createTargets(): (url: string) => Target | Failure {
  const known = new Map<string, Target | Failure>();
  return (url) => {
    const found = known.get(url);
    if (found !== undefined) return found;
    const target = parseTarget(url);
    if (url.length > CACHED_URL_LENGTH_MAX) return target;
    if (known.size >= CACHED_URLS_MAX) for (const oldest of known.keys()) if (known.delete(oldest)) break;
    known.set(url, target);
    return target;
  };
}
