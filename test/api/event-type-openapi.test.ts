import { afterAll, beforeAll, expect, test } from "bun:test";
import * as sdk2 from "svix";
import * as sdk1 from "svix-1";
import { type Api, appToken, type Json, orgToken, startApi } from "../harness/api.ts";
import { createRows } from "../harness/rows.ts";
import { runScenarios } from "../harness/scenarios.ts";

let api: Api;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  api = await startApi();
  const app = await createRows(api.database.sql, "org_a").application();
  tokens.app = await appToken("org_a", app.id);
  for (const org of ["b", "c", "d", "e", "f", "g", "h"]) tokens[org] = await orgToken(`org_${org}`);
  await api.request("POST", "/event-type", { body: { name: "kept", description: "was here" } });
});
afterAll(() => api.stop());

const operation = (schema: object, more: object = {}) => ({
  post: { ...more, requestBody: { content: { "application/json": { schema } } } },
});
const of = (webhooks: object, more: object = {}) => ({ openapi: "3.1.0", webhooks, ...more });
const one = of({ "user.signup": operation({ type: "object" }, { description: "Somebody signed up" }) });
const yaml = `# a comment
openapi: 3.1.0
x-webhooks:
  pet.new:
    post:
      summary: A pet
      requestBody:
        content:
          application/json:
            schema: { type: object }
`;
const bomb = Array.from({ length: 24 }, (_, n) => `b${n}: &b${n} [${n ? `*b${n - 1}, *b${n - 1}` : "x"}]`);
const large = of(
  Object.fromEntries(
    Array.from({ length: 2000 }, (_, n) => [`t${n}`, operation({ $ref: "#/components/schemas/A" })]),
  ),
  { components: { schemas: { A: { description: "x".repeat(10_000) } } } },
);
const request = "POST /event-type/import/openapi" as const;
const dry = (spec: object, ...to_modify: object[]) => ({
  request,
  body: { dryRun: true, spec },
  status: 200,
  has: { data: { modified: [], to_modify } },
});

runScenarios(
  () => api,
  [
    { name: "needs a token", request, as: null, body: { spec: one }, status: 401 },
    { name: "an app token may not", request, as: "app", body: { spec: one }, status: 403 },
    { name: "neither", request, body: {}, status: 400, code: "generic_error" },
    { name: "both", request, body: { spec: one, specRaw: "{}" }, status: 400, code: "generic_error" },
    { name: "no object", request, body: { spec: [] }, status: 422, at: ["body", "spec"] },
    { name: "no document", request, body: { specRaw: "[1]" }, status: 422, at: ["body", "specRaw"] },
    { name: "no JSON, no YAML", request, body: { specRaw: "a: *b" }, status: 422, at: ["body", "specRaw"] },
    { name: "very deep", request, body: { specRaw: "[".repeat(5000) }, status: 422, at: ["body", "specRaw"] },
    { name: "very deep YAML", request, body: { specRaw: "- ".repeat(300_000) }, status: 422 },
    {
      name: "holds itself",
      request,
      body: { specRaw: "a: &a\n  b: *a" },
      status: 422,
      at: ["body", "specRaw"],
    },
    { name: "aliases without end", request, body: { specRaw: bomb.join("\n") }, status: 422 },
    { name: "references without end", request, body: { spec: large }, status: 422, at: ["body", "spec"] },
    { name: "no webhooks", request, body: { spec: { openapi: "3.1.0" } }, status: 422 },
    {
      name: "no name",
      request,
      body: { spec: of({ "a b": operation({}) }) },
      status: 422,
      at: ["body", "spec", "webhooks", "a b", "name"],
    },
    {
      name: "bad flags",
      request,
      body: { spec: of({ a: operation({}, { "x-svix-feature-flags": "f" }) }) },
      status: 422,
      at: ["body", "spec", "webhooks", "a", "featureFlags"],
    },
    {
      ...dry(one, {
        name: "user.signup",
        description: "Somebody signed up",
        deprecated: false,
        schemas: { "1": { type: "object" } },
        groupName: null,
        featureFlags: null,
      }),
      name: "dry",
    },
    {
      ...dry(
        of({
          b: operation({}, { summary: "in short", deprecated: true, "x-svix-group-name": "g" }),
          a: operation({}, { "x-svix-feature-flags": ["f"] }),
          empty: {},
          silent: { post: { description: "has no body" } },
        }),
        { name: "a", featureFlags: ["f"] },
        { name: "b", description: "in short", deprecated: true, groupName: "g" },
        { name: "silent", schemas: null },
      ),
      name: "by name, with group and flags",
    },
    {
      ...dry(
        of(
          {
            tree: operation({ $ref: "#/components/schemas/Tree" }),
            path: { $ref: "#/components/pathItems/P" },
          },
          {
            components: {
              schemas: { Tree: { properties: { of: { $ref: "#/components/schemas/Tree" } } }, Other: {} },
              pathItems: { P: operation({ properties: { a: { $ref: "#/components/schemas/Tree" } } }) },
            },
          },
        ),
        {
          name: "path",
          schemas: {
            "1": {
              properties: { a: { $ref: "#/$defs/Tree" } },
              $defs: { Tree: { properties: { of: { $ref: "#/$defs/Tree" } } } },
            },
          },
        },
        { name: "tree", schemas: { "1": { properties: { of: { $ref: "#" } } } } },
      ),
      name: "references come along, once",
      hasNot: ["Other", "#/components"],
    },
    {
      name: "YAML",
      request,
      body: { specRaw: yaml, dryRun: true },
      status: 200,
      has: { data: { to_modify: [{ name: "pet.new", description: "A pet" }] } },
    },
  ],
  () => tokens,
);

const names = async (as: string): Promise<string[]> => {
  const { body } = await api.request("GET", "/event-type", { token: tokens[as] as string });
  return body.data.map(({ name }: { name: string }) => name);
};
const post = (path: string, as: string, body?: object) =>
  api.request("POST", `/event-type/${path}/openapi`, { token: tokens[as] as string, body });

test("what was refused or tried changed nothing", async () => {
  const { body } = await api.request("GET", "/event-type?include_archived=true");
  expect(body.data.map(({ name }: { name: string }) => name)).toEqual(["kept"]);
});

test("an import adds, changes and revives, and leaves group, flags, retry schedule and other types alone", async () => {
  const token = tokens.b as string;
  const kept = { featureFlags: ["f"], groupName: "g", retrySchedule: [1.5] };
  const body = { name: "user.signup", description: "old", ...kept };
  await api.request("POST", "/event-type", { token, body });
  await api.request("DELETE", "/event-type/user.signup", { token });
  await api.request("POST", "/event-type", { token, body: { name: "other", description: "" } });
  const { data } = (await post("import", "b", { spec: one })).body;
  expect(data).toEqual({ modified: ["user.signup"], to_modify: null });
  expect((await api.request("GET", "/event-type/user.signup", { token })).body).toMatchObject({
    description: "Somebody signed up",
    archived: false,
    ...kept,
    schemas: { "1": { type: "object" } },
  });
  expect(await names("b")).toEqual(["other", "user.signup"]);
});

test("replaceAll archives the rest, of that org only", async () => {
  await api.request("POST", "/event-type", {
    token: tokens.c as string,
    body: { name: "other", description: "" },
  });
  expect((await post("import", "c", { spec: one, replaceAll: true, dryRun: true })).status).toBe(200);
  expect(await names("c")).toEqual(["other"]);
  expect((await post("import", "c", { spec: one, replaceAll: true })).status).toBe(200);
  expect(await names("c")).toEqual(["user.signup"]);
  expect(await names("b")).toEqual(["other", "user.signup"]);
});

runScenarios(
  () => api,
  [
    { name: "needs a token", request: "POST /event-type/export/openapi", as: null, status: 401 },
    { name: "an app token may not", request: "POST /event-type/export/openapi", as: "app", status: 403 },
    {
      name: "only the org's own",
      request: "POST /event-type/export/openapi",
      status: 200,
      has: { openapi: "3.1.0", webhooks: { kept: { post: { description: "was here" } } } },
      hasNot: ["user.signup"],
    },
  ],
  () => tokens,
);

test("what one org exports another takes in; archived types stay at home", async () => {
  const spec = of({
    a: operation({ type: "object", examples: [{ n: 1 }] }, { deprecated: true, description: "A" }),
    b: operation({}, { "x-svix-group-name": "g", "x-svix-feature-flags": ["f"] }),
    c: { post: { description: "no schema" } },
    gone: operation({}),
  });
  expect((await post("import", "d", { spec })).body.data.modified).toEqual(["a", "b", "c", "gone"]);
  await api.request("DELETE", "/event-type/gone", { token: tokens.d as string });
  const { body: document } = await post("export", "d");
  expect((await post("import", "e", { specRaw: JSON.stringify(document) })).body.data.modified).toEqual([
    "a",
    "b",
    "c",
  ]);
  expect((await post("export", "e")).body).toEqual(document);
});

/** Every reference in a document, with what it leads to from the document's root. */
function references(document: object, value: unknown = document): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    if (key !== "$ref" || typeof member !== "string") return references(document, member);
    const keys = member.slice(2).split("/");
    return [[member, keys.reduce((at: Json, one) => at?.[one.replaceAll("~1", "/")], document)]];
  });
}

test("references in an exported document lead somewhere, and are the same again when it is imported", async () => {
  const node = { properties: { next: { $ref: "#/$defs/a~1b" }, whole: { $ref: "#" } } };
  const schemas = {
    "1": {
      properties: { one: { $ref: "#/$defs/a~1b" }, two: { $ref: "#/properties/one" } },
      $defs: { "a/b": node },
    },
  };
  const plain = { "1": { properties: { $ref: { type: "string" } } } };
  for (const [name, body] of Object.entries({ linked: schemas, plain })) {
    await api.request("PUT", `/event-type/${name}`, {
      token: tokens.g as string,
      body: { description: "", schemas: body },
    });
  }
  const { body: document } = await post("export", "g");
  const found = references(document);
  expect(found.map(([ref]) => ref)).toContain("#/components/schemas/linked/$defs/a~1b");
  for (const [ref, target] of found) expect([ref, typeof target]).toEqual([ref, "object"]);
  expect(Object.keys(document.components.schemas)).toEqual(["linked"]);
  expect((await post("import", "h", { spec: document })).status).toBe(200);
  const get = (name: string) => api.request("GET", `/event-type/${name}`, { token: tokens.h as string });
  expect((await get("linked")).body.schemas).toEqual(schemas);
  expect((await get("plain")).body.schemas).toEqual(plain);
});

test("an example of a media type becomes the schema's, and can be sent", async () => {
  const content = { "application/json": { schema: {}, examples: { first: { value: { n: 1 } } } } };
  const spec = of({ shown: { post: { requestBody: { content } } } });
  await post("import", "f", { spec });
  const { body } = await api.request("GET", "/event-type/shown", { token: tokens.f as string });
  expect(body.schemas).toEqual({ "1": { examples: [{ n: 1 }] } });
});

test("svix 2.5.0", async () => {
  const { eventType } = new sdk2.Svix(await orgToken("org_sdk"), { serverUrl: api.url });
  const planned = await eventType.importOpenapi({ spec: one, dryRun: true });
  expect(planned.data.toModify?.[0]?.name).toBe("user.signup");
  expect((await eventType.importOpenapi({ specRaw: yaml })).data.modified).toEqual(["pet.new"]);
});

test("svix 1.99.1", async () => {
  const { eventType } = new sdk1.Svix(await orgToken("org_sdk1"), { serverUrl: api.url });
  const planned = await eventType.importOpenapi({ spec: one, dryRun: true });
  expect(planned.data.toModify?.[0]?.name).toBe("user.signup");
  expect((await eventType.importOpenapi({ specRaw: yaml })).data.modified).toEqual(["pet.new"]);
});
