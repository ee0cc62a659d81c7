import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createAuthentication } from "../../src/services/authentication.ts";
import { lookForRevocations } from "../../src/tasks/revocations.ts";
import { type Api, appToken, jwtSecret, orgToken, signJwt, startApi } from "../harness/api.ts";
import { until } from "../harness/receiver.ts";
import { runScenarios } from "../harness/scenarios.ts";

let here: Api;
let there: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  here = await startApi({ watch: true });
  there = await startApi({ watch: true, database: here.database });
  const { body } = await here.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  await here.request("POST", "/app", { body: { name: "Other", uid: "other" } });
  tokens.app = await appToken("org_a", body.id);
  tokens.otherOrg = await orgToken("org_b");
});
afterAll(async () => {
  await there.stop();
  await here.stop();
});

const portal = async (body: object = {}, app = "own"): Promise<string> =>
  (await here.request("POST", `/auth/app-portal-access/${app}`, { body })).body.token;
const status = async (api: Api, token: string, path = "/app/own") =>
  (await api.request("GET", path, { token })).status;
/** Both processes know the token, and so would let it in without a look. */
const known = async (token: string, path = "/app/own") =>
  expect([await status(here, token, path), await status(there, token, path)]).toEqual([200, 200]);
/** Within the time that is promised; how fast it is in fact, is the other test's. */
const endsEverywhere = (token: string, path = "/app/own") =>
  until(
    async () => (await status(here, token, path)) === 401 && (await status(there, token, path)) === 401,
    5_000,
  );

const expire = "POST /auth/app/own/expire-all";
runScenarios(
  () => here,
  [
    { name: "needs a token", request: expire, as: null, body: {}, status: 401 },
    { name: "an app token may not", request: expire, as: "app", body: {}, status: 403 },
    { name: "another org's application", request: expire, as: "otherOrg", body: {}, status: 404 },
    { name: "no application", request: "POST /auth/app/nope/expire-all", body: {}, status: 404 },
    { name: "too late", request: expire, body: { expiry: 259_201 }, status: 422, at: ["body", "expiry"] },
    { name: "before now", request: expire, body: { expiry: -1 }, status: 422 },
    { name: "a bad session", request: expire, body: { sessionIds: ["a b"] }, status: 422 },
    { name: "too many sessions", request: expire, body: { sessionIds: Array(1001).fill("a") }, status: 422 },
    { name: "no JSON", request: expire, raw: "{", status: 422 },
    { name: "by nobody", request: "POST /auth/logout", as: null, status: 401 },
  ],
  () => tokens,
);

describe("within five seconds, in every process,", () => {
  test("an API key that was revoked is nobody's", async () => {
    const { body } = await here.request("POST", "/auth/api-key", { body: { name: "x" } });
    await known(body.token);
    await here.request("DELETE", `/auth/api-key/${body.id}`);
    await endsEverywhere(body.token);
  });

  test("an app token that was logged out is refused, and no other", async () => {
    const [token, other] = [await portal(), await portal()];
    await known(token);
    await known(other);
    expect((await there.request("POST", "/auth/logout", { token })).status).toBe(204);
    await endsEverywhere(token);
    await known(other);
    expect((await here.request("POST", "/auth/logout", { token })).status).toBe(401);
  });

  test("so is an API key; an org token stays, since it may be all that a backend has", async () => {
    const { token: key } = (
      await here.request("POST", "/auth/api-key", { body: { name: "x", scopes: ["read"] } })
    ).body;
    await known(key);
    expect((await there.request("POST", "/auth/logout/", { token: key })).status).toBe(204);
    await endsEverywhere(key);
    const token = await orgToken("org_a");
    expect((await here.request("POST", "/auth/logout", { token })).status).toBe(204);
    await known(token);
  });

  test("all tokens of an application end, and those made after are good", async () => {
    const [token, session] = [await portal(), await portal({ sessionId: "one" })];
    const [foreign, older] = [await portal({}, "other"), await signJwt({ sub: "app_x", org: "org_a" })];
    await known(token);
    await known(session);
    expect((await here.request("POST", "/auth/app/own/expire-all", { body: {} })).status).toBe(204);
    const after = await portal();
    await endsEverywhere(token);
    await endsEverywhere(session);
    await known(after);
    await known(foreign, "/app/other");
    expect(await status(here, older)).toBe(404);
  });

  test("only the sessions that were named", async () => {
    const [one, two, none] = [
      await portal({ sessionId: "one" }),
      await portal({ sessionId: "two" }),
      await portal(),
    ];
    await known(one);
    await known(two);
    const body = { sessionIds: ["one", "three"] };
    expect((await there.request("POST", "/auth/app/own/expire-all", { body })).status).toBe(204);
    await endsEverywhere(one);
    await known(two);
    await known(none);
    await known(await portal({ sessionId: "one" }));
  });
});

test("tokens that are to end later end then, and a sooner end comes before", async () => {
  const token = await portal();
  const end = (expiry: number) => here.request("POST", "/auth/app/own/expire-all", { body: { expiry } });
  expect((await end(60)).status).toBe(204);
  await known(token);
  expect((await end(1)).status).toBe(204);
  expect((await end(120)).status).toBe(204);
  await endsEverywhere(token);
});

describe("a process that hears nothing", () => {
  test("looks again after four seconds, and forgets all that changed since it looked last", async () => {
    const { createRepos } = await import("../../src/repos/index.ts");
    const { connect } = await import("../../src/database.ts");
    const client = connect(here.database.url, { max: 2, prepare: true, applicationName: "deaf" });
    const repos = createRepos(client);
    let lookups = 0;
    const counted = {
      ...repos,
      revocations: {
        ...repos.revocations,
        isRevoked: (hash: string) => {
          lookups += 1;
          return repos.revocations.isRevoked(hash);
        },
      },
    };
    let nowMs = Date.now();
    const deaf = createAuthentication({ jwtSecret, repos: counted, now: () => nowMs });
    const token = await portal();
    const enter = async () => deaf.authenticate(`Bearer ${token}`);

    await enter();
    nowMs += 3_900;
    // Known: answered at once, without a promise.
    expect(deaf.authenticate(`Bearer ${token}`)).toMatchObject({ kind: "app" });
    expect(lookups).toBe(1);
    nowMs += 200;
    await Promise.all([enter(), enter(), enter()]);
    expect(lookups).toBe(2);

    await lookForRevocations({ repos, authentication: deaf }, nowMs);
    // However long ago it was looked at: as long as the process keeps up, nothing is asked.
    for (let round = 0; round < 3; round += 1) {
      nowMs += 3_000;
      deaf.synced(nowMs);
      await enter();
    }
    expect(lookups).toBeLessThanOrEqual(3);

    await here.request("POST", "/auth/logout", { token });
    expect(await lookForRevocations({ repos, authentication: deaf }, nowMs)).toBeGreaterThan(0);
    expect(enter()).rejects.toThrow("authentication_failed");
    await client.end({ timeout: 1 });
  });
});

test("when a key was used last is written down, later", async () => {
  const { body } = await here.request("POST", "/auth/api-key", { body: { name: "used" } });
  const own = await startApi({ watch: true, database: here.database });
  expect(await status(own, body.token)).toBe(200);
  expect((await here.request("GET", `/auth/api-key/${body.id}`)).body.lastUsedAt).toBeNull();
  await own.stop();
  const { lastUsedAt } = (await here.request("GET", `/auth/api-key/${body.id}`)).body;
  expect(Math.abs(Date.parse(lastUsedAt) - Date.now())).toBeLessThan(5_000);
});
