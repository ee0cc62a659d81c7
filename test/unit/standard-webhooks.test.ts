import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { sign, verify } from "../../src/services/standard-webhooks.ts";
import {
  generateSecret,
  generateSigningKey,
  parseSecret,
  verifyingSecret,
} from "../../src/services/webhook-secrets.ts";

// The vectors of svix-server's unit tests.
const HMAC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ED25519 =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT = 1_614_265_330;
const BODY = '{"test": 2432232314}';
const V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
const now = { nowSeconds: AT };

function headers(signature: string, family = "webhook", timestamp = String(AT)) {
  return { [`${family}-id`]: ID, [`${family}-timestamp`]: timestamp, [`${family}-signature`]: signature };
}

describe("sign", () => {
  test("makes the known signatures, one for each key, from text and from bytes", () => {
    const keys = [parseSecret(HMAC), parseSecret(ED25519)];
    expect(sign(keys.slice(0, 1), ID, AT, BODY)).toBe(V1);
    expect(sign(keys.slice(1), ID, AT, BODY)).toBe(V1A);
    expect(sign(keys, ID, AT, Buffer.from(BODY))).toBe(`${V1} ${V1A}`);
  });

  test("a key can sign again and again", () => {
    const key = parseSecret(HMAC);
    expect([1, 2, 3].map(() => sign([key], ID, AT, BODY))).toEqual([V1, V1, V1]);
  });

  test("standardwebhooks and svix verify what it signs, whatever the body", () => {
    const atSeconds = Math.floor(Date.now() / 1000);
    fc.assert(
      fc.property(fc.json(), fc.string({ unit: "binary" }), (json, text) => {
        const secret = generateSecret();
        const body = JSON.stringify({ json, text });
        const signature = sign([parseSecret(secret)], ID, atSeconds, body);
        const sent = headers(signature, "webhook", String(atSeconds));
        new StandardWebhook(secret).verify(body, sent);
        new SvixWebhook(secret).verify(body, headers(signature, "svix", String(atSeconds)));
        expect(new StandardWebhook(secret).sign(ID, new Date(atSeconds * 1000), body)).toBe(signature);
      }),
      { seed: 20_261_124, numRuns: 50 },
    );
  }, 30_000);
});

describe("verify", () => {
  const keys = [parseSecret(HMAC)];

  test("accepts both header families, in any case, and any matching signature of several", () => {
    const answer = { ok: true, id: ID, timestampSeconds: AT } as const;
    expect(verify(keys, headers(V1), BODY, now)).toEqual(answer);
    expect(verify(keys, headers(`v1,AAAA ${V1A} ${V1}`), BODY, now)).toEqual(answer);
    expect(verify(keys, new Headers(headers(V1, "Svix")), Buffer.from(BODY), now)).toEqual(answer);
    expect(verify(keys, headers(V1, "Webhook"), BODY, now)).toEqual(answer);
    expect(verify([parseSecret(verifyingSecret(ED25519))], headers(V1A), BODY, now)).toEqual(answer);
  });

  test.each([
    ["another body", headers(V1), `${BODY} `, AT, "no signature matches"],
    ["another id", { ...headers(V1), "webhook-id": "msg_x" }, BODY, AT, "no signature matches"],
    ["another kind of signature", headers(V1.replace("v1,", "v2,")), BODY, AT, "no signature matches"],
    ["a short signature", headers("v1,g0hM"), BODY, AT, "no signature matches"],
    ["an empty signature", headers("v1,"), BODY, AT, "no signature matches"],
    ["no signature", headers(""), BODY, AT, "a signature header is missing"],
    [
      "a strange timestamp",
      headers(V1, "webhook", "1e9"),
      BODY,
      AT,
      "the timestamp is not a number of seconds",
    ],
    ["an old message", headers(V1), BODY, AT + 301, "the timestamp is 301 s old"],
    ["a message from the future", headers(V1), BODY, AT - 301, "the timestamp is 301 s in the future"],
  ])("refuses %s", (_, sent, body, nowSeconds, reason) => {
    expect(verify(keys, sent, body, { nowSeconds })).toEqual({ ok: false, reason });
  });

  test("the tolerance can be set", () => {
    const late = { nowSeconds: AT + 5, toleranceSeconds: 4 };
    expect(verify(keys, headers(V1), BODY, late).ok).toBe(false);
    expect(verify(keys, headers(V1), BODY, { ...late, toleranceSeconds: 5 }).ok).toBe(true);
  });
});

describe("secrets", () => {
  test("generated ones work", () => {
    expect(generateSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const pair = generateSigningKey();
    const signed = headers(sign([parseSecret(pair)], ID, AT, BODY));
    expect(verify([parseSecret(verifyingSecret(pair))], signed, BODY, now).ok).toBe(true);
    expect(verifyingSecret(ED25519)).toBe("whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
    expect(verifyingSecret(HMAC)).toBe(HMAC);
  });

  test.each([
    ["no prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    ["23 bytes", `whsec_${Buffer.alloc(23).toString("base64")}`],
    ["76 bytes", `whsec_${Buffer.alloc(76).toString("base64")}`],
    ["base64url", `whsec_${"-".repeat(32)}`],
    ["no base64", "whsec_!"],
    ["a seed alone", `whsk_${Buffer.alloc(32).toString("base64")}`],
    ["halves of two keys", `whsk_${Buffer.alloc(64, 1).toString("base64")}`],
    ["a line break", `${HMAC}\n`],
  ])("%s is refused without showing it", (_, secret) => {
    let message = "";
    try {
      parseSecret(secret);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).not.toBe("");
    expect(message).not.toContain(secret);
  });

  test("a prefix alone is refused", () => {
    expect(() => parseSecret("whsec_")).toThrow("base64");
  });

  test("24 and 75 bytes are accepted", () => {
    for (const bytes of [24, 75]) {
      expect(parseSecret(`whsec_${Buffer.alloc(bytes).toString("base64")}`).kind).toBe("hmac");
    }
  });

  test("a public key can't sign", () => {
    expect(() => sign([parseSecret(verifyingSecret(ED25519))], ID, AT, BODY)).toThrow("can't sign");
  });
});
