/**
 * Addresses that a webhook may not reach.
 *
 * Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries, the IANA IPv4 and IPv6 multicast and address space
 * registries, and the RFC named in each row. The first row that contains an address decides, so narrow blocks stand before wide ones.
 */
export type DenyRow = {
  block: string;
  /** Completes "<address> is …". */
  what: string;
  source: string;
};

export const DENIED_IPV4: readonly DenyRow[] = [
  { block: "0.0.0.0/8", what: 'an address of "this network"', source: "RFC 791" },
  { block: "10.0.0.0/8", what: "a private address", source: "RFC 1918" },
  { block: "100.64.0.0/10", what: "a shared (carrier NAT) address", source: "RFC 6598" },
  { block: "127.0.0.0/8", what: "a loopback address", source: "RFC 1122" },
  { block: "168.63.129.16/32", what: "a cloud platform address", source: "Azure WireServer" },
  { block: "169.254.0.0/16", what: "a link-local address", source: "RFC 3927" },
  { block: "172.16.0.0/12", what: "a private address", source: "RFC 1918" },
  { block: "192.0.0.0/24", what: "a protocol assignment address", source: "RFC 6890" },
  { block: "192.0.2.0/24", what: "a documentation address", source: "RFC 5737" },
  { block: "192.31.196.0/24", what: "an AS112 address", source: "RFC 7535" },
  { block: "192.52.193.0/24", what: "a multicast tunnelling address", source: "RFC 7450" },
  { block: "192.88.99.0/24", what: "a 6to4 relay address", source: "RFC 7526" },
  { block: "192.168.0.0/16", what: "a private address", source: "RFC 1918" },
  { block: "192.175.48.0/24", what: "an AS112 address", source: "RFC 7534" },
  { block: "198.18.0.0/15", what: "a benchmarking address", source: "RFC 2544" },
  { block: "198.51.100.0/24", what: "a documentation address", source: "RFC 5737" },
  { block: "203.0.113.0/24", what: "a documentation address", source: "RFC 5737" },
  { block: "224.0.0.0/4", what: "a multicast address", source: "RFC 5771" },
  { block: "255.255.255.255/32", what: "the broadcast address", source: "RFC 919" },
  { block: "240.0.0.0/4", what: "a reserved address", source: "RFC 1112" },
];

export const DENIED_IPV6: readonly DenyRow[] = [
  { block: "::/128", what: "the unspecified address", source: "RFC 4291" },
  { block: "::1/128", what: "the loopback address", source: "RFC 4291" },
  { block: "::/96", what: "an IPv4-compatible address", source: "RFC 4291" },
  { block: "::ffff:0:0:0/96", what: "an IPv4-translated address", source: "RFC 2765" },
  { block: "64:ff9b::/96", what: "a NAT64 address", source: "RFC 6052" },
  { block: "64:ff9b:1::/48", what: "a local NAT64 address", source: "RFC 8215" },
  { block: "100::/64", what: "a discard address", source: "RFC 6666" },
  { block: "100:0:0:1::/64", what: "a dummy address", source: "RFC 9780" },
  { block: "2001::/32", what: "a Teredo address", source: "RFC 4380" },
  { block: "2001:2::/48", what: "a benchmarking address", source: "RFC 5180" },
  { block: "2001::/23", what: "a protocol assignment address", source: "RFC 2928" },
  { block: "2001:db8::/32", what: "a documentation address", source: "RFC 3849" },
  { block: "2002::/16", what: "a 6to4 address", source: "RFC 3056" },
  { block: "2620:4f:8000::/48", what: "an AS112 address", source: "RFC 7534" },
  { block: "3fff::/20", what: "a documentation address", source: "RFC 9637" },
  { block: "5f00::/16", what: "a segment routing address", source: "RFC 9602" },
  { block: "fc00::/7", what: "a private (unique local) address", source: "RFC 4193" },
  { block: "fe80::/10", what: "a link-local address", source: "RFC 4291" },
  { block: "fec0::/10", what: "a site-local address", source: "RFC 3879" },
  { block: "ff00::/8", what: "a multicast address", source: "RFC 4291" },
  { block: "::/3", what: "not a global unicast address", source: "RFC 4291" },
  { block: "4000::/2", what: "not a global unicast address", source: "RFC 4291" },
  { block: "8000::/1", what: "not a global unicast address", source: "RFC 4291" },
];

/**
 * IPv6 blocks whose addresses carry an IPv4 address that the packet ends up at.
 * `shift` is the number of bits to the right of the IPv4 address, `inverted` says that its bits are flipped.
 * "same": a connection to it is a connection to the IPv4 address itself, which alone decides.
 */
export const EMBEDDED_IPV4: readonly {
  block: string;
  shift: number;
  inverted: boolean;
  same: boolean;
  source: string;
}[] = [
  { block: "::ffff:0:0/96", shift: 0, inverted: false, same: true, source: "RFC 4291, mapped" },
  { block: "::ffff:0:0:0/96", shift: 0, inverted: false, same: false, source: "RFC 2765, translated" },
  { block: "64:ff9b::/96", shift: 0, inverted: false, same: false, source: "RFC 6052, NAT64" },
  { block: "2002::/16", shift: 80, inverted: false, same: false, source: "RFC 3056, 6to4" },
  { block: "2001::/32", shift: 0, inverted: true, same: false, source: "RFC 4380, Teredo client" },
];

/**
 * Host names of cloud metadata services. Their addresses are denied above; the names are refused whatever they
 * resolve to, since a network may answer them with an address of its own.
 */
export const DENIED_NAMES: readonly string[] = [
  "instance-data",
  "instance-data.ec2.internal",
  "metadata",
  "metadata.azure.internal",
  "metadata.goog",
  "metadata.google.internal",
  "metadata.tencentyun.com",
];
