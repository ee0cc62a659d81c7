import ipaddr from "ipaddr.js";
import { readNumber, type Variable } from "./env.ts";

type Check = Pick<Variable, "expected" | "read" | "hide" | "emptyIsValue">;

/** All the way down, without touching bytes and functions. */
export type DeepReadonly<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly DeepReadonly<E>[]
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

export const postgresUrl: Check = {
  expected: "a URL like postgres://user:password@host:5432/database, with % written as %25",
  hide: "password",
  read(text) {
    if (!/^postgres(ql)?:\/\/\S+$/.test(text) || !isPercentEncoded(text)) return undefined;
    // A list of hosts is for the driver to walk; URL knows only one.
    const hosts = text.slice(text.indexOf("://") + 3).split(/[?/]/)[0] ?? "";
    const list = hosts.slice(hosts.lastIndexOf("@") + 1);
    return URL.canParse(text.replace(list, list.split(",")[0] ?? "")) ? text : undefined;
  },
};

export const proxyUrl: Check = {
  expected: "a URL like http://proxy.internal:3128",
  hide: "password",
  read: (text) => (/^https?:\/\/[^\s/?#]+\/?$/.test(text) && URL.canParse(text) ? text : undefined),
};

export const host: Check = {
  expected: "an address or a host name, without a port",
  read: (text) => (ipaddr.isValid(text) || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text) ? text : undefined),
};

export const encryptionKeys: Check = {
  expected:
    "32 bytes as base64, like the output of: openssl rand -base64 32; or several such, with commas between",
  hide: "value",
  read(text) {
    const keys = text.split(",").map((part) => part.trim());
    if (!keys.every((key) => /^[A-Za-z0-9+/]{43}=$/.test(key))) return undefined;
    return keys.map((key) => new Uint8Array(Buffer.from(key, "base64")));
  },
};

export const secondsList: Check = {
  expected: "up to 50 numbers of seconds from 0 to 2592000, with commas between, or nothing",
  emptyIsValue: true,
  read(text) {
    if (text === "") return [];
    const numbers = text.split(",").map((part) => readNumber(part.trim()));
    return numbers.includes(undefined) ? undefined : numbers;
  },
};

export const cidrList: Check = {
  expected: "networks like 10.0.0.0/8 or fd00::/8, with commas between",
  read(text) {
    const networks = text.split(",").map((part) => canonicalCidr(part.trim()));
    return networks.includes(undefined) ? undefined : networks;
  },
};

export const STRONG_SECRET = "32 random characters or more, like the output of: openssl rand -base64 32";

// Out of examples, tutorials and other servers' documentation, where everyone can read them.
const PUBLISHED_SECRETS = new Set([
  "8KjzRXrKkd9YFcNyqLSIY8JwiaCeRc6WK4UkMnSW",
  "a-string-secret-at-least-256-bits-long",
  "your-256-bit-secret-your-256-bit-secret",
  "this-is-a-secret-key-change-me-please",
  "super-secret-jwt-token-with-at-least-32-characters-long",
]);

/** Too short, published somewhere, or made of fewer than 8 different characters. */
export function isWeakSecret(secret: string): boolean {
  const words = secret.toLowerCase();
  return (
    secret.length < 32 ||
    PUBLISHED_SECRETS.has(secret) ||
    new Set(secret).size < 8 ||
    words.includes("change-me") ||
    words.includes("changeme")
  );
}

/** Can it be decoded, as the driver will do with a URL's parts? */
function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Is this a name or address that only this machine can reach? */
export function isLoopback(name: string): boolean {
  if (name === "localhost") return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === "loopback";
}

/** Freezes an object and what it holds; bytes can't be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

// A bare address stands for itself alone. Shorthands such as 127.1 are refused: they read as something else.
function canonicalCidr(text: string): string | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const v4 = ipaddr.IPv4.isValidFourPartDecimal(address);
  if (rest.length > 0 || address.includes("%") || !(v4 || ipaddr.IPv6.isValid(address))) return undefined;
  if (bits === undefined) return `${address}/${v4 ? 32 : 128}`;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (v4 ? 32 : 128) ? text : undefined;
}
