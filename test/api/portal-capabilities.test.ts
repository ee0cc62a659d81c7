import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { notImplementedPaths } from "../../src/routes/not-implemented.ts";
import { routeAccess } from "../../src/services/access.ts";
import { capabilities } from "../../src/services/capabilities.ts";
import { type Api, startApi } from "../harness/api.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi();
  await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  await api.request("PUT", "/event-type/user.signup", { body: { description: "x" } });
  await api.request("POST", "/app/own/endpoint", { body: { url: "https://example.com", uid: "one" } });
});
afterAll(() => api.stop());

const portal = async (body: object): Promise<string> =>
  (await api.request("POST", "/auth/app-portal-access/own", { body })).body.token;

/** Those that do something: what is not implemented is refused to everyone. */
const routes = () =>
  api.app.routes
    .filter(({ path }) => !notImplementedPaths.includes(path))
    .map(({ method, path }) => ({ method, path }))
    .filter(({ path }) => path.startsWith("/api/v1/") && !path.startsWith("/api/v1/health"));

test("the table has every route that the app has, and no other", () => {
  const served = routes().map(({ method, path }) => `${method} ${path.slice("/api/v1".length)}`);
  expect(Object.keys(routeAccess).sort()).toEqual([...new Set(served)].sort());
});

/** What contains what: who may change endpoints may see and rotate their secrets. */
const contains: Record<string, string[]> = {
  ManageEndpoint: ["ManageEndpointSecret", "ViewEndpointSecret"],
  ManageEndpointSecret: ["ViewEndpointSecret"],
};

describe.each(capabilities.map((one) => [one]))("a token with ViewBase and %s", (capability) => {
  test("is let into its routes and no others", async () => {
    const token = await portal({ capabilities: ["ViewBase", capability] });
    const held = ["ViewBase", capability, ...(contains[capability] ?? [])];
    for (const { method, path } of routes()) {
      const route = `${method} ${path.slice("/api/v1".length)}`;
      const access = routeAccess[route];
      if (access === undefined || access === "all") continue;
      // What is not there, so that nothing happens: past the gate that is a 404 or a 422.
      const at = path
        .slice("/api/v1".length)
        .replace(/:(\w+)/g, (_, name: string) => (name === "app_id" ? "own" : "none"));
      const { status } = await api.request(method, at, {
        token,
        ...(method !== "GET" && method !== "DELETE" && { body: {} }),
      });
      expect([route, status === 403]).toEqual([route, !held.includes(access)]);
      expect([route, status]).not.toEqual([route, 401]);
    }
  });
});

const statusOf = async (token: string, request: string, body?: object): Promise<number> => {
  const [method, path] = request.split(" ") as [string, string];
  return (await api.request(method, path, { token, ...(body && { body }) })).status;
};

test("a read-only token looks, and at secrets only if it was given that", async () => {
  const token = await portal({ readOnly: true });
  expect(await statusOf(token, "GET /app/own/endpoint/one")).toBe(200);
  expect(await statusOf(token, "GET /event-type/user.signup")).toBe(200);
  expect(await statusOf(token, "GET /app/own/endpoint/one/secret")).toBe(403);
  expect(await statusOf(token, "PATCH /app/own/endpoint/one", { description: "x" })).toBe(403);
  expect(await statusOf(token, "POST /app/own/endpoint/one/secret/rotate", {})).toBe(403);
  const looking = { readOnly: true, capabilities: ["ViewBase", "ViewEndpointSecret", "ManageEndpoint"] };
  const seeing = await portal(looking);
  expect(await statusOf(seeing, "GET /app/own/endpoint/one/secret")).toBe(200);
  expect(await statusOf(seeing, "PATCH /app/own/endpoint/one", { description: "x" })).toBe(403);
});

test("one without a word on capabilities may do all of its own, and nothing of the org's", async () => {
  const token = await portal({});
  expect(await statusOf(token, "GET /app/own/endpoint/one/secret")).toBe(200);
  expect(await statusOf(token, "PATCH /app/own/endpoint/one", { description: "x" })).toBe(200);
  expect(await statusOf(token, "PATCH /app/own", { name: "x" })).toBe(403);
  expect(await statusOf(token, "GET /app")).toBe(403);
  expect(await statusOf(token, "POST /auth/app-portal-access/own", {})).toBe(403);
});

test("a head is looked at as a get is", async () => {
  const token = await portal({ capabilities: ["ViewBase"] });
  expect(await statusOf(token, "HEAD /app/own/endpoint/one")).toBe(200);
  expect(await statusOf(token, "HEAD /app/own/endpoint/one/")).toBe(200);
  expect(await statusOf(token, "HEAD /app/own/endpoint/one/secret")).toBe(403);
  expect(await statusOf(token, "HEAD /app/own/endpoint/one/secret/")).toBe(403);
});
