import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { generateSigningKey, verifyingSecret } from "../../src/services/webhook-secrets.ts";
import { type Api, appToken, orgToken, startApi } from "../harness/api.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const make = (uid: string) => api.request("POST", "/app", { body: { name: uid, uid } });
  tokens.app = await appToken("org_a", (await make("own")).body.id);
  tokens.foreign = await appToken("org_a", (await make("other")).body.id);
  tokens.otherOrg = await orgToken("org_b");
  await addEndpoint("one", { secret });
});
afterAll(() => api.stop());

const addEndpoint = (uid: string, more: object = {}) =>
  api.request("POST", "/app/own/endpoint", { body: { url: "https://example.com", uid, ...more } });
const rotate = (uid: string, body: object) =>
  api.request("POST", `/app/own/endpoint/${uid}/secret/rotate`, { body });
const keyOf = async (uid: string): Promise<string> =>
  (await api.request("GET", `/app/own/endpoint/${uid}/secret`)).body.key;

const bare = randomBytes(24).toString("base64");
const secret = `whsec_${bare}`;
const next = `whsec_${randomBytes(75).toString("base64")}`;
const path = "/app/own/endpoint/one/secret";

runScenarios(
  () => api,
  [
    { name: "needs a token", request: `GET ${path}`, as: null, status: 401 },
    {
      name: "as given",
      request: `GET ${path}`,
      status: 200,
      shape: "EndpointSecretOut",
      has: { key: secret },
    },
    { name: "by an app token, with a slash", request: `GET ${path}/`, as: "app", status: 200 },
    { name: "by another org", request: `GET ${path}`, as: "otherOrg", status: 404, hasNot: ["whsec_"] },
    {
      name: "by a foreign app token",
      request: `GET ${path}`,
      as: "foreign",
      status: 404,
      hasNot: ["whsec_"],
    },
    { name: "of no endpoint", request: "GET /app/own/endpoint/nope/secret", status: 404 },

    {
      name: "to a given one",
      request: `POST ${path}/rotate`,
      body: { key: next, gracePeriodSeconds: 60 },
      status: 204,
    },
    { name: "is the current one", request: `GET ${path}`, status: 200, has: { key: next } },
    { name: "without a prefix", request: `POST ${path}/rotate`, as: "app", body: { key: bare }, status: 204 },
    { name: "gets one", request: `GET ${path}`, status: 200, has: { key: secret } },
    {
      name: "to a generated one",
      request: `POST ${path}/rotate/`,
      body: { key: null, gracePeriodSeconds: null },
      status: 204,
    },
    { name: "is new", request: `GET ${path}`, status: 200, shape: "EndpointSecretOut", hasNot: [bare] },
    { name: "by another org", request: `POST ${path}/rotate`, as: "otherOrg", body: {}, status: 404 },
    { name: "by a foreign app token", request: `POST ${path}/rotate`, as: "foreign", body: {}, status: 404 },
    { name: "of no endpoint", request: "POST /app/own/endpoint/nope/secret/rotate", body: {}, status: 404 },
    {
      name: "no base64",
      request: `POST ${path}/rotate`,
      body: { key: "whsec_!" },
      status: 422,
      at: ["body", "key"],
    },
    {
      name: "too short",
      request: `POST ${path}/rotate`,
      body: { key: randomBytes(18).toString("base64") },
      status: 422,
    },
    {
      name: "too long",
      request: `POST ${path}/rotate`,
      body: { key: randomBytes(76).toString("base64") },
      status: 422,
    },
    {
      name: "base64 that isn't quite",
      request: `POST ${path}/rotate`,
      body: { key: `${"A".repeat(33)}==` },
      status: 422,
      at: ["body", "key"],
      hasNot: ["AAAA"],
    },
    {
      name: "a public key",
      request: `POST ${path}/rotate`,
      body: { key: `whpk_${"A".repeat(43)}=` },
      status: 422,
    },
    {
      name: "half a signing key",
      request: `POST ${path}/rotate`,
      body: { key: `whsk_${"A".repeat(43)}=` },
      status: 422,
    },
    {
      name: "grace of 8 days",
      request: `POST ${path}/rotate`,
      body: { gracePeriodSeconds: 604_801 },
      status: 422,
      at: ["body", "gracePeriodSeconds"],
    },
    { name: "negative grace", request: `POST ${path}/rotate`, body: { gracePeriodSeconds: -1 }, status: 422 },
    { name: "no JSON", request: `POST ${path}/rotate`, raw: "x", status: 422 },
    { name: "too large", request: `POST ${path}/rotate`, raw: "x".repeat(2_000_001), status: 413 },
  ],
  () => tokens,
);

describe("a rotation", () => {
  const rows = async (uid: string): Promise<{ left: number | null }[]> =>
    api.database.sql`
      select extract(epoch from s.expires_at - now())::float as left
      from endpoint_secrets s join endpoints e on e.id = s.endpoint_id where e.uid = ${uid} order by s.id`;

  test("lets the old secret sign for the grace period, 24 hours unless told", async () => {
    await addEndpoint("grace");
    await rotate("grace", {});
    await rotate("grace", { gracePeriodSeconds: 100 });
    const [first, second, current] = await rows("grace");
    expect(first?.left).toBeWithin(86_300, 86_401);
    expect(second?.left).toBeWithin(90, 101);
    expect(current?.left).toBeNull();
  });

  test("ends the old secret at once with a grace of 0, and removes it with the next", async () => {
    await addEndpoint("now");
    await rotate("now", { gracePeriodSeconds: 0 });
    expect((await rows("now")).map(({ left }) => left === null)).toEqual([false, true]);
    await rotate("now", { gracePeriodSeconds: 0 });
    expect(await rows("now")).toHaveLength(2);
  });

  test("is refused while ten old secrets are live", async () => {
    await addEndpoint("many");
    for (let n = 0; n < 10; n++) expect((await rotate("many", {})).status).toBe(204);
    const before = await keyOf("many");
    const { status, body } = await rotate("many", {});
    expect([status, body.code]).toEqual([400, "limit_reached"]);
    expect(await keyOf("many")).toBe(before);
    expect((await rotate("many", { gracePeriodSeconds: 0 })).status).toBe(204);
  });

  test("leaves one current secret, however many run at once", async () => {
    await addEndpoint("race");
    const answers = await Promise.all(Array.from({ length: 6 }, () => rotate("race", {})));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(204));
    expect((await rows("race")).filter(({ left }) => left === null)).toHaveLength(1);
  });

  test("of a signing key makes a signing key, of which the public half is shown", async () => {
    const key = generateSigningKey();
    expect((await addEndpoint("ed", { secret: key })).status).toBe(201);
    expect(await keyOf("ed")).toBe(verifyingSecret(key));
    await rotate("ed", {});
    expect(await keyOf("ed")).toStartWith("whpk_");
    expect(await keyOf("ed")).not.toBe(verifyingSecret(key));
  });
});

test("secrets are sealed at rest under an encryption key, and those from before it still open", async () => {
  const sealing = await startApi({ encryptionKeys: [randomBytes(32)], database: api.database });
  const get = async (uid: string) =>
    (await sealing.request("GET", `/app/own/endpoint/${uid}/secret`)).body.key;
  await addEndpoint("plain", { secret });
  expect(await get("plain")).toBe(secret);
  await sealing.request("POST", "/app/own/endpoint", {
    body: { url: "https://example.com", uid: "sealed", secret },
  });
  expect(await get("sealed")).toBe(secret);
  const stored = await api.database.sql`
    select secret from endpoint_secrets s join endpoints e on e.id = s.endpoint_id where e.uid = 'sealed'`;
  expect(stored[0]?.secret).toMatch(/^enc:v1:[0-9a-f]{8}:[A-Za-z0-9+/=]+$/);
  expect(stored[0]?.secret).not.toContain(bare);
  // Without the key it is a fault of ours, which says nothing.
  const { status, text } = await api.request("GET", "/app/own/endpoint/sealed/secret");
  expect([status, text]).toEqual([500, '{"code":"server_error","detail":"Internal Server Error"}']);
  await sealing.stop();
});
