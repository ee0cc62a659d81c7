import type { Failure } from "./types.ts";

/** A forward proxy that tunnels with CONNECT. */
export type ProxyServer = { tls: boolean; host: string; port: number; authorization: string | null };

/** Bytes of the proxy's answer to CONNECT. */
const ANSWER_BYTES_MAX = 16 * 1024;

/**
 * Reads `http://host:port` or `https://user:pass@host:port`.
 * @throws Error that says what is wrong, without the password.
 */
export function parseProxy(text: string): ProxyServer {
  const url = URL.parse(text);
  const fits =
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "";
  if (!fits)
    throw new Error("the proxy must be a URL such as http://proxy:3128 or https://user:pass@proxy:3128");
  const tls = url.protocol === "https:";
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    tls,
    host: url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === "" ? (tls ? 443 : 80) : Number(url.port),
    authorization: pair === ":" ? null : `Basic ${Buffer.from(pair, "utf8").toString("base64")}`,
  };
}

export function connectRequest(proxy: ProxyServer, address: string, port: number): string {
  const authority = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const credentials = proxy.authorization === null ? "" : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`;
}

/** @param received all that came so far. @returns true when the tunnel stands, null while the answer is incomplete. */
export function judgeConnectAnswer(received: Buffer): true | Failure | null {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0)
    return received.length > ANSWER_BYTES_MAX
      ? { reason: "connect", message: "the egress proxy's answer is not valid" }
      : null;
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(received.toString("latin1", 0, Math.min(end, 64)))?.[1];
  // Nobody speaks before the client in HTTP or TLS: bytes behind the answer would be the proxy's own.
  if (status === undefined || (status.startsWith("2") && received.length > end + 4))
    return { reason: "connect", message: "the egress proxy's answer is not valid" };
  if (status.startsWith("2")) return true;
  return { reason: "connect", message: `the egress proxy refused the connection (${status})` };
}
