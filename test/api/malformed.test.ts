import { afterAll, beforeAll, expect, test } from "bun:test";
import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import fc from "fast-check";
import { describeApp } from "../../src/app.ts";
import { notImplementedPaths } from "../../src/routes/not-implemented.ts";
import { type Answer, type Api, type Json, type RequestOptions, startApi } from "../harness/api.ts";
import { createTenant, type Tenant } from "../harness/every-route.ts";
import { changes, queryTexts } from "../harness/nasty.ts";
import { expectShape } from "../harness/shapes.ts";

// Whatever is sent to whatever route, out of its own schema: a 4xx in shape where it is wrong, and never a 500. The
// seed is fixed, so that a run finds what the run before found; `FUZZ_SEED` and `FUZZ_RUNS` go further by hand.
const seed = Number(process.env.FUZZ_SEED ?? 20_260_102);
const runs = Number(process.env.FUZZ_RUNS ?? 1) * 60;

let api: Api;
let tenant: Tenant;
beforeAll(async () => {
  api = await startApi();
  tenant = await createTenant(api);
});
afterAll(() => api.stop());

type Route = { method: string; path: string; hooks: { body?: TSchema; query?: TSchema } };
/** As the app has them, so that a new one can't be forgotten. */
const routes = () =>
  (api.app.routes as unknown as Route[])
    .filter(({ path }) => path.startsWith("/api/v1/"))
    .map((route) => ({ ...route, method: route.method === "ALL" ? "PUT" : route.method }));
const document = JSON.parse(JSON.stringify(describeApp())) as Json;
const exampleFor = ({ method, path }: Route): Json =>
  document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()]?.requestBody?.content[
    "application/json"
  ].example ?? {};

/** How often each route got as far as to look at what was sent. */
const looked = new Map<string, number>();

async function send(route: Route, at: string, options: RequestOptions = {}): Promise<Answer> {
  const answer = await api.request(route.method, at, { ...(await tenant.options(route.path)), ...options });
  const name = `${route.method} ${route.path}`;
  if (answer.status !== 401) looked.set(name, (looked.get(name) ?? 0) + 1);
  const sent = typeof options.raw === "string" ? options.raw.slice(0, 400) : options.raw;
  const what = {
    route: `${route.method} ${at.slice(0, 300)}`,
    sent,
    status: answer.status,
    text: answer.text.slice(0, 300),
  };
  // 501 is an answer of its own; health may say 500 with its report, and has no input.
  if (answer.status >= 500 && answer.status !== 501) throw new Error(JSON.stringify(what));
  if (answer.status >= 400 && route.method !== "HEAD") {
    expectShape(answer.status === 422 ? "HTTPValidationError" : "HttpErrorOut", answer.body);
    expect(answer.text).not.toMatch(/Failed query|node_modules|\/src\/|"stack"|postgres/i);
  }
  return answer;
}

test("no body makes a route answer 500, and what its schema doesn't take is a 4xx", async () => {
  for (const route of routes().filter(({ hooks }) => hooks.body)) {
    const { body: schema } = route.hooks;
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const raw = change(exampleFor(route));
        const { status } = await send(route, tenant.at(route.path), { raw });
        if (status < 300 && !takes(schema as TSchema, raw))
          throw new Error(`${route.method} ${route.path} took ${String(raw).slice(0, 500)}`);
      }),
      { seed, numRuns: runs },
    );
  }
}, 120_000);

test("no field of a body takes what can't be kept, in whatever it is wrapped", async () => {
  const bad = ["a\u0000b", "\ud800", "x".repeat(70_000), 1e308, -1, null, {}];
  const wrapped = bad.flatMap((value) => [
    value,
    [value],
    { k: value },
    { [String(value)]: "v" },
    [{ k: value }],
  ]);
  for (const route of routes().filter(({ hooks }) => hooks.body)) {
    const example = exampleFor(route);
    for (const field of Object.keys(route.hooks.body?.properties ?? {})) {
      for (const value of wrapped) {
        await send(route, tenant.at(route.path), { raw: JSON.stringify({ ...example, [field]: value }) });
      }
    }
  }
}, 120_000);

test("no part of a path takes it either", async () => {
  for (const route of routes()) {
    for (const [, name = ""] of route.path.matchAll(/:(\w+)/g)) {
      const body = route.hooks.body && { raw: JSON.stringify(exampleFor(route)) };
      for (const text of [
        "%00",
        "a%00",
        "%ff",
        "%ed%a0%80",
        "x".repeat(257),
        "%F0%9F%98%80",
        "%2F",
        "a%20b",
      ]) {
        const { status } = await send(route, tenant.at(route.path, { [name]: text }), body);
        const expected = notImplementedPaths.includes(route.path) ? 501 : 404;
        expect([route.method, route.path, text, status]).toEqual([route.method, route.path, text, expected]);
      }
    }
  }
}, 60_000);

function takes(schema: TSchema, raw: string | Uint8Array): boolean {
  try {
    const text = typeof raw === "string" ? raw : new TextDecoder("utf-8", { fatal: true }).decode(raw);
    // A byte order mark goes with the decoding.
    return Value.Check(schema, JSON.parse(text.replace(/^\ufeff/, "")));
  } catch {
    return false;
  }
}

test("no query makes a route answer 500", async () => {
  for (const route of routes()) {
    const names = Object.keys(TypeGuard.IsObject(route.hooks.query) ? route.hooks.query.properties : {});
    const name = fc.oneof(
      fc.constantFrom(...names, "unknown"),
      fc.constantFrom(...names, "unknown").map((one) => `${one}[]`),
      fc.constantFrom("__proto__", "constructor", "event_types[0]", "a[b][c]", "%00", "", "toString"),
    );
    const pairs = fc.array(fc.tuple(name, queryTexts), { minLength: 1, maxLength: 4 });
    // What deletes finds nothing to delete, or the routes after it would have nothing to find.
    const at = tenant.at(
      route.path,
      route.method === "DELETE" ? { app_id: "gone", event_type_name: "gone" } : {},
    );
    await fc.assert(
      fc.asyncProperty(pairs, async (query) => {
        await send(route, `${at}?${query.map(([key, text]) => `${key}=${text}`).join("&")}`);
      }),
      { seed, numRuns: Math.ceil(runs / 3) },
    );
  }
}, 120_000);

test("no path makes a route answer 500", async () => {
  for (const route of routes()) {
    const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
    if (names.length === 0) continue;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), queryTexts, async (name, text) => {
        const known = /^[\w.-]+$/.test(text) && !/^\.+$/.test(text) ? text : text.replace(/^$/, "%20");
        const body = route.hooks.body && { raw: JSON.stringify(exampleFor(route)) };
        await send(route, tenant.at(route.path, { [name]: known }), body);
      }),
      { seed, numRuns: Math.ceil(runs / 3) },
    );
  }
}, 120_000);

test("no header makes a route answer 500", async () => {
  const headers: Record<string, string>[] = [
    { "content-type": "text/plain" },
    { "content-type": "application/x-www-form-urlencoded" },
    { "content-type": "multipart/form-data; boundary=x" },
    { "content-type": "application/octet-stream" },
    { "content-type": "x" },
    { "content-encoding": "gzip" },
    { "idempotency-key": "x".repeat(8_000) },
    { "idempotency-key": "\u00ff\u00fe key" },
    { "idempotency-key": "a" },
    { authorization: "Bearer" },
    { authorization: "Bearer  a.b.c" },
    { authorization: `Bearer ${"a".repeat(12_000)}` },
    { authorization: "Basic YTpi" },
    { "x-request-id": "\u00e9 ".repeat(200) },
    { cookie: "a=%ff; __proto__=1; =; ;;" },
    { expect: "100-continue" },
    { range: "bytes=0-1" },
    { accept: "text/html;q=0.1" },
    { "x-http-method-override": "DELETE" },
  ];
  for (const route of routes().filter(({ method }) => method !== "DELETE")) {
    const raw = route.hooks.body && { raw: JSON.stringify(exampleFor(route)) };
    for (const one of headers) await send(route, tenant.at(route.path), { ...raw, headers: one });
  }
}, 120_000);

test("a large body full of faults costs about what reading it costs", async () => {
  const values = (count: number) => Array.from({ length: count }, () => "1").join(",");
  const bodies = {
    "deep and wide": `{"name":${"[".repeat(900)}${values(900_000)}${"]".repeat(900)}}`,
    "deep objects": `{"name":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`,
    "many wrong members": `{"name":"x","metadata":{${Array.from({ length: 150_000 }, (_, n) => `"k${n}":1`).join(",")}}}`,
    "many names": `{"name":"x",${Array.from({ length: 150_000 }, (_, n) => `"k${n}":1`).join(",")}}`,
  };
  for (const [name, raw] of Object.entries(bodies)) {
    const before = process.memoryUsage.rss();
    const started = performance.now();
    const { status, text } = await api.request("POST", "/app", { raw });
    expect([name, [201, 422].includes(status), text.length < 10_000]).toEqual([name, true, true]);
    // Indented by depth, the first of these took 4 s and half a gigabyte, on a machine with nothing else to do.
    expect([name, performance.now() - started < 3_000]).toEqual([name, true]);
    expect([name, process.memoryUsage.rss() - before < 400_000_000]).toEqual([name, true]);
  }
}, 60_000);

test("every route was reached, and the tenant can still work after all that", async () => {
  const unreached = routes().filter(({ method, path }) => (looked.get(`${method} ${path}`) ?? 0) < 20);
  expect(unreached.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  expect((await api.request("GET", tenant.at("/api/v1/app/:app_id"))).status).toBe(200);
});

test("what was sent has left no mark on the language's own objects", () => {
  expect(({} as Json).polluted).toBeUndefined();
  expect(({} as Json).admin).toBeUndefined();
});
