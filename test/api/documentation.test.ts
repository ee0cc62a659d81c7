import { afterAll, beforeAll, expect, test } from "bun:test";
import { describeApp } from "../../src/app.ts";
import { type Api, type Json, startApi } from "../harness/api.ts";
import { createTenant } from "../harness/every-route.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${api.url}${path}`, { headers, redirect: "manual" });

test("/openapi.json needs no token and is what `ops openapi` prints", async () => {
  const answer = await get("/openapi.json");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(describeApp())));
});

test("/ leads to /docs, for now", async () => {
  const answer = await get("/");
  expect([answer.status, answer.headers.get("location")]).toEqual([302, "/docs"]);
});

test("/docs and all that it needs come from here, under a policy that lets nothing else in", async () => {
  const page = await get("/docs");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  const html = await page.text();
  const needed = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(needed.length).toBeGreaterThanOrEqual(4);
  for (const path of needed) expect([path, (await get(path)).status]).toEqual([path, 200]);
  expect(html).not.toMatch(/https?:\/\//);
});

test("it goes out zipped where that is taken", async () => {
  const plain = await (await get("/docs/swagger-ui-bundle.js", { "accept-encoding": "identity" })).text();
  const zipped = await get("/docs/swagger-ui-bundle.js", { "accept-encoding": "gzip" });
  expect(zipped.headers.get("content-encoding")).toBe("gzip");
  expect(await zipped.text()).toBe(plain);
});

test("the examples of request bodies are accepted as they stand", async () => {
  const { paths } = JSON.parse(JSON.stringify(describeApp())) as {
    paths: Record<string, Record<string, Json>>;
  };
  const tenant = await createTenant(api);
  // These would take what others of the table need.
  const own: Record<string, object> = {
    "/api/v1/event-type": { name: "user.example" },
    "/api/v1/app/{app_id}": { uid: "every" },
    "/api/v1/app/{app_id}/endpoint/{endpoint_id}": { uid: "one" },
    "/api/v1/operational-webhook/endpoint/{endpoint_id}": { uid: "every" },
  };
  const refused: unknown[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      if (!requestBody) continue;
      const { example } = requestBody.content["application/json"];
      const body = { ...tenant.adapt(example), ...own[path] };
      const { status, text } = await api.request(method.toUpperCase(), tenant.at(path), { body });
      if (status >= 300) refused.push([`${method} ${path}`, status, text, body]);
    }
  }
  expect(refused).toEqual([]);
});
