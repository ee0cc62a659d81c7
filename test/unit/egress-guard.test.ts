import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Address, contains, parseAddress, parseCidr, parseCidrs } from "../../src/lib/egress/address.ts";
import { DENIED_IPV4, DENIED_IPV6 } from "../../src/lib/egress/deny-table.ts";
import { createGuard } from "../../src/lib/egress/guard.ts";
import { parseTarget } from "../../src/lib/egress/target.ts";

const SEED = { seed: 20_260_101, numRuns: 2_000 };
const strict = createGuard([]);

const v4Text = (bits: number): string => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
const v6Text = (bits: bigint): string =>
  Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(
    ":",
  );
const v4 = fc.integer({ min: 0, max: 0xffff_ffff }).map((value) => value >>> 0);
const v6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });

/** Any address of a block. */
const inside = (block: string) => {
  const cidr = parseCidr(block);
  const hostBits = BigInt((cidr.family === 4 ? 32 : 128) - cidr.prefix);
  return fc.bigInt({ min: 0n, max: (1n << hostBits) - 1n }).map((host) => cidr.bits | host);
};

describe("the deny table", () => {
  for (const { block, what } of [...DENIED_IPV4, ...DENIED_IPV6])
    test(`refuses every address of ${block} (${what})`, () => {
      const text = block.includes(":") ? v6Text : (bits: bigint) => v4Text(Number(bits));
      fc.assert(
        fc.property(inside(block), (bits) => strict.refusal(text(bits)) !== null),
        { ...SEED, numRuns: 200 },
      );
    });

  test("is what decides about IPv4, by an independent reading", () => {
    const special = (value: number): boolean => {
      const [a = 0, b = 0, c = 0, d = 0] = v4Text(value).split(".").map(Number);
      if (a === 0 || a === 10 || a === 127 || a >= 224) return true;
      if (a === 100) return b >= 64 && b <= 127;
      if (a === 168) return b === 63 && c === 129 && d === 16;
      if (a === 169) return b === 254;
      if (a === 172) return b >= 16 && b <= 31;
      if (a === 192)
        return (
          b === 168 ||
          [0, 2].includes(b === 0 ? c : -1) ||
          [`31.196`, `52.193`, `88.99`, `175.48`].includes(`${b}.${c}`)
        );
      if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
      return a === 203 && b === 0 && c === 113;
    };
    const nearSpecial = fc
      .tuple(fc.constantFrom(100, 168, 169, 172, 192, 198, 203), fc.integer({ min: 0, max: 0xff_ffff }))
      .map(([first, rest]) => ((first << 24) | rest) >>> 0);
    fc.assert(
      fc.property(
        fc.oneof(v4, nearSpecial),
        (value) => (strict.refusal(v4Text(value)) !== null) === special(value),
      ),
      SEED,
    );
  });

  test("lets no IPv6 address through outside 2000::/3, but for mapped public IPv4", () => {
    fc.assert(
      fc.property(v6, (bits) => {
        const passes = strict.refusal(v6Text(bits)) === null;
        return !passes || bits >> 125n === 1n || bits >> 32n === 0xffffn;
      }),
      SEED,
    );
  });

  test.each([
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
  ])("lets %s through", (address) => expect(strict.refusal(address)).toBeNull());

  test.each([
    "fe80::1%eth0",
    "1.1.1.1%lo",
    "",
    "example.com",
    "010.1.1.1",
    "1.1",
    "0x7f000001",
    "[::1]",
    "1.1.1.1 ",
  ])("refuses %p, which is no plain address", (text) =>
    expect(strict.refusal(text)).toContain("is not a plain IP address"),
  );

  test("says which address, of which kind, by which RFC", () => {
    expect(strict.refusal("10.0.0.1")).toBe("blocked: 10.0.0.1 is a private address (RFC 1918)");
    expect(strict.refusal("::ffff:7f00:1")).toContain("127.0.0.1 (in ::ffff:7f00:1) is a loopback address");
  });
});

describe("IPv4 inside IPv6", () => {
  const carriers: Record<string, (inner: number) => bigint> = {
    mapped: (inner) => (0xffffn << 32n) | BigInt(inner),
    translated: (inner) => (0xffffn << 48n) | BigInt(inner),
    "NAT64 64:ff9b::/96": (inner) => (0x64_ff9bn << 96n) | BigInt(inner),
    "6to4": (inner) => (0x2002n << 112n) | (BigInt(inner) << 80n) | 1n,
    Teredo: (inner) => (0x2001n << 112n) | BigInt(~inner >>> 0),
    compatible: (inner) => BigInt(inner),
  };
  for (const [name, carry] of Object.entries(carriers)) {
    test(`${name}: what is denied as IPv4 is denied`, () => {
      fc.assert(
        fc.property(
          v4,
          (inner) => strict.refusal(v4Text(inner)) === null || strict.refusal(v6Text(carry(inner))) !== null,
        ),
        SEED,
      );
    });
    if (name === "mapped" || name === "compatible") continue;
    test(`${name}: exempting the carrier does not exempt a denied IPv4 address in it`, () => {
      const open = createGuard(parseCidrs("64:ff9b::/96, 2002::/16, 2001::/32, ::ffff:0:0:0/96"));
      fc.assert(
        fc.property(
          v4,
          (inner) =>
            (strict.refusal(v4Text(inner)) !== null) === (open.refusal(v6Text(carry(inner))) !== null),
        ),
        SEED,
      );
    });
  }
  test("a mapped address is judged as its IPv4 address, exemptions included", () => {
    const guard = createGuard(parseCidrs("10.1.0.0/16"));
    fc.assert(
      fc.property(fc.oneof(v4, inside("10.0.0.0/15").map(Number)), (inner) => {
        const mapped = v6Text((0xffffn << 32n) | BigInt(inner));
        return (guard.refusal(v4Text(inner)) === null) === (guard.refusal(mapped) === null);
      }),
      SEED,
    );
  });
  test("a block narrower than its carrier's exempts what it names", () => {
    const guard = createGuard(parseCidrs("64:ff9b::a00:0/104"));
    expect(guard.refusal("64:ff9b::10.1.2.3")).toBeNull();
    expect(guard.refusal("64:ff9b::192.168.0.1")).not.toBeNull();
    expect(guard.refusal("10.1.2.3")).not.toBeNull();
  });
});

describe("exemptions", () => {
  test("cover their block and nothing else", () => {
    const blocks = fc.tuple(v4, fc.integer({ min: 1, max: 32 })).map(([bits, prefix]) => ({
      prefix,
      base: Number((BigInt(bits) >> BigInt(32 - prefix)) << BigInt(32 - prefix)),
    }));
    fc.assert(
      fc.property(blocks, v4, ({ base, prefix }, value) => {
        const guard = createGuard(parseCidrs(`${v4Text(base)}/${prefix}`));
        const covered = BigInt(value) >> BigInt(32 - prefix) === BigInt(base) >> BigInt(32 - prefix);
        const refused = guard.refusal(v4Text(value)) !== null;
        return (
          guard.refusal(v4Text(base)) === null &&
          (covered ? !refused : refused === (strict.refusal(v4Text(value)) !== null))
        );
      }),
      SEED,
    );
  });
});

describe("address blocks", () => {
  test("are read from a list with commas or spaces", () => {
    expect(parseCidrs(" 10.0.0.0/8,fd00::/8  127.0.0.1,, ")).toEqual([
      { family: 4, bits: 0x0a00_0000n, prefix: 8 },
      { family: 6, bits: 0xfdn << 120n, prefix: 8 },
      { family: 4, bits: 0x7f00_0001n, prefix: 32 },
    ]);
    expect(parseCidrs("")).toEqual([]);
  });
  test.each([
    "10.0.0.0/33",
    "10.0.0.1/8",
    "::/129",
    "10.0.0.0/-1",
    "10/8",
    "example.com",
    "10.0.0.0/8/8",
    "1.2.3.4/",
    "fe80::1%eth0",
  ])("%p is refused by name", (bad) => expect(() => parseCidrs(`127.0.0.0/8,${bad}`)).toThrow(`"${bad}"`));
  test("contain exactly the addresses that share the prefix", () => {
    fc.assert(
      fc.property(
        v6,
        fc.integer({ min: 0, max: 128 }),
        fc.integer({ min: 0, max: 127 }),
        (bits, prefix, flipped) => {
          const shift = BigInt(128 - prefix);
          const block = { family: 6 as const, bits: (bits >> shift) << shift, prefix };
          const other: Address = { family: 6, bits: bits ^ (1n << BigInt(127 - flipped)) };
          return contains(block, { family: 6, bits }) && contains(block, other) === flipped >= prefix;
        },
      ),
      SEED,
    );
  });
  test("addresses survive being written and read", () => {
    fc.assert(
      fc.property(v6, (bits) => parseAddress(v6Text(bits))?.bits === bits),
      SEED,
    );
  });
});

describe("URLs", () => {
  test.each([
    ["http://127.0.0.1/", "127.0.0.1"],
    ["http://2130706433/", "127.0.0.1"],
    ["http://0x7f.1/", "127.0.0.1"],
    ["http://0177.0.0.01/", "127.0.0.1"],
    ["http://127.1/", "127.0.0.1"],
    ["http://127.0.0.1./", "127.0.0.1"],
    ["http://①②⑦.0.0.1/", "127.0.0.1"],
    ["http://[::1]/", "::1"],
    ["http://[0:0:0:0:0:ffff:7f00:1]/", "::ffff:7f00:1"],
    ["http://[::ffff:169.254.169.254]/", "::ffff:a9fe:a9fe"],
    ["http://example.com@127.0.0.1/", "127.0.0.1"],
    ["http://example.com:80@[64:ff9b::7f00:1]/", "64:ff9b::7f00:1"],
    ["http://127.0.0.1\\@example.com/", "127.0.0.1"],
  ])("%s is a call to the literal %s", (url, host) => {
    const target = parseTarget(url);
    expect(target).toMatchObject({ host, isLiteral: true });
    expect(strict.refusal(host)).not.toBeNull();
  });
  test.each([
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "not a url",
    "http://",
    "http://1.2.3.4.5:99999/",
  ])("%s is not valid", (url) => expect(parseTarget(url)).toMatchObject({ reason: "protocol" }));
  test.each([
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:text/plain,x",
    "javascript:1",
    "ws://example.com/",
  ])("%s has a scheme that is not called", (url) =>
    expect(parseTarget(url)).toMatchObject({ reason: "protocol" }),
  );
  test.each([
    "http://metadata.google.internal/",
    "http://METADATA.goog./x",
    "https://metadata/",
    "http://instance-data/latest",
  ])("%s is blocked by name", (url) => expect(parseTarget(url)).toMatchObject({ reason: "blocked" }));
  test("userinfo becomes Basic authorization, the fragment goes", () => {
    expect(parseTarget("https://us%C3%A9r:p%40ss@h.example:8443/a?b=c#d")).toMatchObject({
      tls: true,
      host: "h.example",
      port: 8443,
      authorization: `Basic ${Buffer.from("usér:p@ss").toString("base64")}`,
      headStart: "POST /a?b=c HTTP/1.1\r\nHost: h.example:8443\r\nAccept: */*\r\n",
    });
  });
});
