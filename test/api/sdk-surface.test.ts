import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as sdk2 from "svix";
import * as sdk1 from "svix-1";
import { describeApp } from "../../src/app.ts";
import { notImplementedPaths } from "../../src/routes/not-implemented.ts";
import { type Api, type Json, startApi } from "../harness/api.ts";
import { createTenant, type Tenant } from "../harness/every-route.ts";
import { methodsOf, type Recorded, record } from "../harness/sdk-surface.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const document = JSON.parse(JSON.stringify(describeApp())) as Json;

/** Still to come: a 404 in the error's shape until then. */
const toCome: RegExp[] = [];

type Served = { route: string; params: Record<number, string> };
/** The route that answers a recorded request, and which argument stands for which of its parameters. */
function served({ method, path }: Recorded): Served | null {
  for (const route of api.app.routes) {
    if (route.method !== method && route.method !== "ALL") continue;
    const names: string[] = [];
    const pattern = route.path.replace(/:(\w+)/g, (_, name: string) => {
      names.push(name);
      return "([^/]+)";
    });
    const found = new RegExp(`^${pattern.replace("*", ".*")}$`).exec(path);
    if (!found) continue;
    const params = found
      .slice(1)
      .map((segment, n) => [Number(/^<(\d)>$/.exec(segment)?.[1]), names[n] ?? ""]);
    return { route: route.path, params: Object.fromEntries(params) };
  }
  return null;
}

/** The document's example as the SDK wants it, which has a Date for a time. */
function bodyFor(tenant: Tenant, method: string, route: string): Json {
  const { requestBody } = document.paths[route.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()] ?? {};
  const body = tenant.adapt(requestBody?.content["application/json"].example ?? {});
  const times = Object.keys(body).filter((key) => ["since", "until", "after"].includes(key));
  return { ...body, ...Object.fromEntries(times.map((key) => [key, new Date(body[key] as string)])) };
}

const generations = [
  [
    "svix 2.5.0",
    (token: string, serverUrl: string) => new sdk2.Svix(token, { serverUrl, numRetries: 0 }),
    138,
  ],
  [
    "svix 1.99.1",
    (token: string, serverUrl: string) => new sdk1.Svix(token, { serverUrl, numRetries: 0 }),
    129,
  ],
] as const;

describe.each(generations)("%s", (generation, connect, pairsMin) => {
  let recorded: Recorded[];
  beforeAll(async () => {
    recorded = await record((url) => connect("token", url));
  });

  test("every method is found, and each is served, never to be, or known to come", () => {
    const pairs = new Set(recorded.map(({ method, path }) => `${method} ${path}`));
    expect(pairs.size).toBeGreaterThanOrEqual(pairsMin);
    const unknown = recorded.filter((one) => !served(one) && !toCome.some((some) => some.test(one.name)));
    expect(unknown.map(({ name, method, path }) => `${name}: ${method} ${path}`)).toEqual([]);
  });

  test("every method for what is served gets what it asked for", async () => {
    const failed: string[] = [];
    const reader = await createTenant(api, `org_reader_${generation.slice(5, 6)}`);
    for (const [n, one] of recorded.entries()) {
      const { name, method, hasBody } = one;
      const found = served(one);
      if (!found || notImplementedPaths.includes(found.route)) continue;
      // A tenant for each that changes something, so that none finds what another has deleted.
      const tenant =
        method === "GET" ? reader : await createTenant(api, `org_${generation.slice(5, 6)}_${n}`);
      const args: unknown[] = [];
      for (const [position, parameter] of Object.entries(found.params)) {
        args[Number(position)] = tenant.id(found.route, parameter);
      }
      const body = bodyFor(tenant, method, found.route);
      if (found.route.includes("/event-type") && name.endsWith("create")) body.name = "user.other";
      if (hasBody) args.push(body);
      const client = connect((await tenant.options(found.route)).token ?? tenant.token, api.url);
      const call = methodsOf(client).find((each) => each.name === name)?.call;
      await call?.(...args).catch((error) =>
        failed.push(`${name}: ${error.code} ${JSON.stringify(error.body ?? `${error}`)}`),
      );
    }
    expect(failed).toEqual([]);
  }, 60_000);

  test("every method for what is not served gets an error that it can read", async () => {
    const tenant = await createTenant(api, `org_not_${generation.slice(5, 6)}`);
    const methods = methodsOf(connect(tenant.token, api.url));
    const unserved = recorded
      .map((one) => ({ one, found: served(one) }))
      .filter(({ found }) => !found || notImplementedPaths.includes(found.route));
    // Side by side, as an SDK tries again after a 5xx, and waits before that.
    const answers = unserved.map(async ({ one: { name, args }, found }) => {
      const call = methods.find((each) => each.name === name)?.call;
      const error = await call?.(...args).then(
        () => null,
        (thrown: unknown) => thrown as Json,
      );
      const body = typeof error?.body === "string" ? JSON.parse(error.body) : error?.body;
      return {
        name,
        asExpected: [found ? 501 : 404, found ? "not_implemented" : "not_found"],
        got: [error?.code, body?.code],
      };
    });
    const wrong = (await Promise.all(answers)).filter(({ asExpected, got }) => `${asExpected}` !== `${got}`);
    expect(wrong).toEqual([]);
  }, 30_000);
});
