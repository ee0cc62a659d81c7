import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** An IP address as a number: 32 bits for family 4, 128 for family 6. */
export type Address = { family: 4 | 6; bits: bigint };

/** A block of addresses; the bits beyond `prefix` are zero. */
export type Cidr = Address & { prefix: number };

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/**
 * Reads an address in its plain written form. IPv4 takes four decimal parts only; an IPv6 zone id is refused.
 * @returns null for anything else.
 */
export function parseAddress(text: string): Address | null {
  const family = isIPv4(text) ? 4 : isIPv6(text) && !text.includes("%") ? 6 : null;
  if (family === null) return null;
  const bits = ipaddr
    .parse(text)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family, bits };
}

export function contains(block: Cidr, address: Address): boolean {
  if (block.family !== address.family) return false;
  const shift = BigInt(widthOf(block.family) - block.prefix);
  return block.bits >> shift === address.bits >> shift;
}

/**
 * Reads one block (`10.0.0.0/8`, `fd00::/8`) or one address.
 * @throws Error whose message names `text` and says what is wrong with it.
 */
export function parseCidr(text: string): Cidr {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseAddress(addressText);
  if (address === null || rest.length > 0)
    throw new Error(`"${text}" is not an address block such as 10.0.0.0/8 or fd00::/8`);
  const width = widthOf(address.family);
  if (prefixText === undefined) return { ...address, prefix: width };
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (!(prefix <= width)) throw new Error(`"${text}" needs a prefix length from 0 to ${width}`);
  const hostBits = BigInt(width - prefix);
  if ((address.bits >> hostBits) << hostBits !== address.bits)
    throw new Error(`"${text}" has bits set beyond its prefix of ${prefix}`);
  return { ...address, prefix };
}

/**
 * Reads a list of blocks, separated by commas or white space; an empty list is fine.
 * @throws Error whose message names the bad element.
 */
export function parseCidrs(text: string): Cidr[] {
  return text
    .split(/[\s,]+/)
    .filter((element) => element !== "")
    .map(parseCidr);
}
