import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { createSealer, sealedUnder } from "../../src/lib/sealed.ts";

const key = randomBytes(32);
const sealer = createSealer([key]);

test("what is sealed opens again, and is never twice the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const sealed = sealer.seal(text);
      expect(sealed).toMatch(/^enc:v1:[0-9a-f]{8}:[A-Za-z0-9+/]+=*$/);
      expect(sealer.open(sealed)).toBe(text);
      expect(sealer.seal(text)).not.toBe(sealed);
    }),
  );
});

test("no byte of it can be changed", () => {
  const sealed = sealer.seal("whsec_secret");
  const [head, body = ""] = [sealed.slice(0, 16), sealed.slice(16)];
  const bytes = Buffer.from(body, "base64");
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    expect(() => sealer.open(head + changed.toString("base64"))).toThrow();
  }
  expect(() => sealer.open(head + bytes.subarray(0, 20).toString("base64"))).toThrow();
});

test("another key, or none, can't open it and says which it needs", () => {
  const sealed = sealer.seal("whsec_secret");
  const named = sealed.slice(0, "enc:v1:".length + 8);
  expect(() => createSealer([randomBytes(32)]).open(sealed)).toThrow(named);
  expect(() => createSealer().open(sealed)).toThrow(named);
});

test("what is plain stays plain, with a key and without", () => {
  expect(sealer.open("whsec_plain")).toBe("whsec_plain");
  const none = createSealer();
  expect(none.open(none.seal("whsec_plain"))).toBe("whsec_plain");
});

test("of several keys the first seals, and all open", () => {
  const before = sealer.seal("whsec_secret");
  const next = randomBytes(32);
  const both = createSealer([next, key]);
  expect(both.open(before)).toBe("whsec_secret");
  expect(createSealer([next]).open(both.seal("whsec_secret"))).toBe("whsec_secret");
  expect(() => sealer.open(both.seal("whsec_secret"))).toThrow(`enc:v1:${both.keyId}`);
  expect(sealedUnder(both.seal(""))).toBe(both.keyId);
  expect([sealedUnder("whsec_plain"), createSealer().keyId]).toEqual([null, null]);
});
