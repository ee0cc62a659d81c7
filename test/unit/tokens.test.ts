import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { readOrCreateSecret } from "../../src/lib/secret-file.ts";
import { findJwtSecret, requireJwtSecret, signToken, verifyToken } from "../../src/services/tokens.ts";

const SECRET = "kJ8sQ2vZ7xN4mB1cW9eR5tY3uI6oP0aSdFgHjKlQ";
const ORG = "org_23rb8YdGqMT0qIzpgGwdXfHirMu";
const folder = await mkdtemp(join(tmpdir(), "tokens-"));
afterAll(() => rm(folder, { recursive: true }));

function foreign(alg: string, claims: Record<string, unknown>) {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(SECRET.repeat(2)));
}

describe("tokens", () => {
  test("an org token", async () => {
    const token = await signToken({ secret: SECRET, subject: ORG, expiresInSeconds: 60 });
    const claims = await verifyToken(SECRET, token);
    const iat = claims?.iat ?? 0;
    expect(claims).toEqual({ iss: "posthorn", sub: ORG, iat, nbf: iat, exp: iat + 60 });
    expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(10);
  });

  test("an app token carries its org, and more claims that can't replace the main ones", async () => {
    const token = await signToken({
      secret: SECRET,
      subject: "app_1",
      org: ORG,
      expiresInSeconds: 60,
      claims: { feature_flags: ["a"], sub: "app_2", org: "org_2" },
    });
    expect(await verifyToken(SECRET, token)).toMatchObject({ sub: "app_1", org: ORG, feature_flags: ["a"] });
  });

  test.each(["HS256", "HS384", "HS512"])("other issuers' tokens with %s are good", async (alg) => {
    const token = await foreign(alg, { iss: "svix-server", sub: ORG });
    expect(await verifyToken(SECRET.repeat(2), token)).toMatchObject({ sub: ORG });
  });

  const nowSeconds = Math.floor(Date.now() / 1000);
  test.each<[string, Record<string, unknown>]>([
    ["expired", { sub: ORG, exp: nowSeconds - 1 }],
    ["not valid yet", { sub: ORG, nbf: nowSeconds + 60 }],
    ["without a subject", {}],
    ["with a NUL in its subject", { sub: "org_\u0000" }],
    ["with an org that is no text", { sub: "app_1", org: 5 }],
  ])("a token %s is null", async (_, claims) => {
    expect(await verifyToken(SECRET.repeat(2), await foreign("HS256", claims))).toBeNull();
  });

  test("another secret, a changed token, alg none and nonsense are null", async () => {
    const token = await signToken({ secret: SECRET, subject: ORG, expiresInSeconds: 60 });
    const [head, body, signature] = token.split(".") as [string, string, string];
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    expect(await verifyToken(SECRET.toLowerCase(), token)).toBeNull();
    for (const jwt of [
      `${head}.${body}x.${signature}`,
      `${none}.${body}.`,
      `${none}.${body}.${signature}`,
      "x",
      "",
    ]) {
      expect(await verifyToken(SECRET, jwt)).toBeNull();
    }
  });
});

describe("the secret file", () => {
  test("is made once, whole, for its owner only, by however many at once", async () => {
    const path = join(folder, "deep", "jwt-secret");
    const secrets = await Promise.all(Array.from({ length: 20 }, () => readOrCreateSecret(path)));
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]).toMatch(/^[\w-]{43}$/);
    expect(await readOrCreateSecret(path)).toBe(secrets[0] as string);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "deep"))).toEqual(["jwt-secret"]);
  });

  test("processes that race get one secret", async () => {
    const path = join(folder, "raced");
    const script = `import { readOrCreateSecret } from "./src/lib/secret-file.ts";
      process.stdout.write(await readOrCreateSecret(${JSON.stringify(path)}))`;
    const runs = Array.from({ length: 4 }, () => Bun.spawn(["bun", "-e", script]).stdout.text());
    const secrets = new Set(await Promise.all(runs));
    expect([...secrets]).toEqual([await readOrCreateSecret(path)]);
  });

  test("an empty one is refused", async () => {
    const path = join(folder, "empty");
    await writeFile(path, "\n");
    expect(readOrCreateSecret(path)).rejects.toThrow("is empty");
  });

  test("stands in for JWT_SECRET only when embedded", async () => {
    const dataDir = join(folder, "data");
    const embedded = { dataDir, embedded: true };
    expect(await findJwtSecret({ ...embedded, jwtSecret: SECRET })).toBe(SECRET);
    expect(await findJwtSecret({ dataDir, embedded: false })).toBeNull();
    expect(await findJwtSecret(embedded)).toBeNull();
    expect(await requireJwtSecret({ ...embedded, jwtSecret: SECRET })).toBe(SECRET);
    const made = await requireJwtSecret(embedded);
    expect(made).toBe(await readOrCreateSecret(join(dataDir, "jwt-secret")));
    expect(await findJwtSecret(embedded)).toBe(made);
  });
});
