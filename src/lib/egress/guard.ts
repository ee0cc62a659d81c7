import { type Address, type Cidr, contains, parseAddress, parseCidr } from "./address.ts";
import { DENIED_IPV4, DENIED_IPV6, DENIED_NAMES, type DenyRow, EMBEDDED_IPV4 } from "./deny-table.ts";

export type Guard = {
  /** @returns why `address` may not be dialled, or null when it may. Text that is no plain address is refused. */
  refusal(address: string): string | null;
};

type Row = { block: Cidr; row: DenyRow };

const compile = (rows: readonly DenyRow[]): Row[] =>
  rows.map((row) => ({ block: parseCidr(row.block), row }));
const IPV4_ROWS = compile(DENIED_IPV4);
const IPV6_ROWS = compile(DENIED_IPV6);
const EMBEDDINGS = EMBEDDED_IPV4.map((row) => ({ ...row, block: parseCidr(row.block) }));
const NAMES = new Set(DENIED_NAMES);

const deniedBy = (address: Address): Row | undefined =>
  (address.family === 4 ? IPV4_ROWS : IPV6_ROWS).find(({ block }) => contains(block, address));

const dotted = (bits: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");

/** @param host a name in lower case, with or without the final dot. */
export const isDeniedName = (host: string): boolean =>
  NAMES.has(host.endsWith(".") ? host.slice(0, -1) : host);

/**
 * The deny table with exemptions.
 *
 * An IPv6 address that carries an IPv4 address is judged twice: exempting the carrier's block (`64:ff9b::/96`, as an
 * IPv6-only network with DNS64 needs) opens the way through it, but the IPv4 address at its end must pass too. A block
 * narrower than the carrier's states which IPv4 addresses it means, and exempts them outright. A mapped address
 * (`::ffff:10.0.0.1`) is the IPv4 address, so an IPv4 block exempts it.
 */
export function createGuard(allow: readonly Cidr[]): Guard {
  const allowing = (address: Address): Cidr[] => allow.filter((block) => contains(block, address));

  function refusalOf(address: Address, text: string): string | null {
    const embedding = EMBEDDINGS.find(({ block }) => contains(block, address));
    const exemptions = allowing(address);
    if (embedding !== undefined) {
      if (exemptions.some((block) => block.prefix > embedding.block.prefix)) return null;
      const raw = (address.bits >> BigInt(embedding.shift)) & 0xffff_ffffn;
      const inner: Address = { family: 4, bits: embedding.inverted ? raw ^ 0xffff_ffffn : raw };
      const innerRefusal = refusalOf(inner, `${dotted(inner.bits)} (in ${text})`);
      if (innerRefusal !== null || embedding.same) return innerRefusal;
    }
    if (exemptions.length > 0) return null;
    const denied = deniedBy(address);
    return denied === undefined ? null : `blocked: ${text} is ${denied.row.what} (${denied.row.source})`;
  }

  return {
    refusal(text) {
      const address = parseAddress(text);
      return address === null ? `blocked: "${text}" is not a plain IP address` : refusalOf(address, text);
    },
  };
}
