import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type TSchema, TypeGuard } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type AppParts, createApp, describeApp } from "../../src/app.ts";
import type { OpenApiDocument } from "../../src/lib/openapi/document.ts";
import { isNameable } from "../../src/lib/openapi/json-schema.ts";

import { namedSchemas } from "../../src/schemas/index.ts";
import type { Json } from "../harness/api.ts";
import { jsonDiff } from "../harness/json-diff.ts";
import { temporaryFolder } from "../harness/postgres.ts";

const root = join(import.meta.dir, "../..");
const document = JSON.parse(JSON.stringify(describeApp())) as OpenApiDocument & Json;
type Operation = { at: string; method: string; path: string; says: Json };
const operations: Operation[] = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
  Object.entries<Json>(methods).map(([method, says]) => ({
    at: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    says,
  })),
);
const { routes } = createApp({} as AppParts);
const routeOf = ({ method, path }: Operation): Json =>
  routes.find((route) => route.method === method && route.path.replace(/:(\w+)/g, "{$1}") === path);

test("the document is as it was; else this shows what became of it", async () => {
  const snapshot = await Bun.file(join(import.meta.dir, "openapi.snapshot.json")).json();
  snapshot.info.version = document.info.version;
  const changes = jsonDiff(snapshot, document);
  if (changes.length > 0) {
    throw new Error(
      `The API's document changed:\n${changes.join("\n")}\n\nIf that is meant, ` +
        "`bun src/main.ts ops openapi > test/api/openapi.snapshot.json` and commit it.",
    );
  }
});

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});

test("every route is in the document, or says that it is hidden", () => {
  const described = new Set(operations.map(({ at }) => at));
  const left = routes
    .filter(({ method, path, hooks }) => {
      const hidden = (hooks?.detail as { hide?: boolean } | undefined)?.hide === true;
      return !hidden && !described.has(`${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    })
    // A HEAD is its GET without the body.
    .filter(({ method }) => method !== "HEAD");
  expect(left.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
});

test("every operation says all there is to say", () => {
  const tags = new Set(document.tags.map(({ name }: Json) => name));
  const missing = operations.flatMap((operation) => {
    const { at, says } = operation;
    const statuses = Object.keys(says.responses);
    const faults = {
      "no summary": typeof says.summary !== "string",
      [`a tag without a description: ${says.tags}`]: !says.tags.every((tag: string) => tags.has(tag)),
      "no success": !statuses.some((status) => status.startsWith("2")),
      "no errors":
        says.security === undefined && !["401", "404", "422", "500"].every((s) => statuses.includes(s)),
      "a body that isn't read": says.requestBody && ["GET", "DELETE"].includes(operation.method),
    };
    const parameters = (says.parameters ?? [])
      .filter(({ description }: Json) => typeof description !== "string")
      .map(({ name }: Json) => `no description of ${name}`);
    return [...Object.keys(faults).filter((fault) => faults[fault]), ...parameters].map((f) => `${at}: ${f}`);
  });
  expect(missing).toEqual([]);
  const ids = operations.map(({ says }) => says.operationId);
  expect(ids).toEqual([...new Set(ids)]);
});

test("every error answer has an example, and its body is of the error's shape", () => {
  for (const response of Object.values<Json>(document.components.responses)) {
    const examples = Object.values<Json>(response.content["application/json"].examples);
    expect(examples.length).toBeGreaterThan(0);
    for (const { value } of examples) expect(value).toHaveProperty("detail");
  }
});

test("every example is what its own schema takes", () => {
  for (const operation of operations) {
    const { body, response } = routeOf(operation).hooks as {
      body?: TSchema;
      response: Record<string, TSchema>;
    };
    if (body) expectFits(`${operation.at} body`, body, operation.says.requestBody);
    for (const [status, schema] of Object.entries(response)) {
      const answer = operation.says.responses[status];
      if (answer.content) expectFits(`${operation.at} ${status}`, schema, answer);
    }
  }
});

function expectFits(at: string, schema: TSchema, holder: Json): void {
  const { example } = holder.content["application/json"];
  expect([
    at,
    example,
    [...Value.Errors(schema, example)].map(({ path, message }) => `${path}: ${message}`),
  ]).toEqual([at, example, []]);
}

test("objects that schemas/ exports are held once, under their names", async () => {
  const named = new Set(namedSchemas.map(([name]) => name));
  const files = [...new Bun.Glob("*.ts").scanSync(join(root, "src/schemas"))];
  for (const file of files) {
    const exported = Object.entries<unknown>(await import(join(root, "src/schemas", file)));
    const names = exported
      .filter(([, schema]) => TypeGuard.IsSchema(schema) && isNameable(schema))
      .map(([name]) => name);
    expect([file, names.filter((name) => !named.has(name))]).toEqual([file, []]);
  }
  expect(named.size).toBe(namedSchemas.length);
  // A body that stands where it is used is a type without a name to whoever generates a client.
  const inline = operations.filter(({ says }) => says.requestBody && !refOf(says.requestBody));
  expect(inline.map(({ at }) => at)).toEqual([]);
});
const refOf = (holder: Json): unknown => holder.content["application/json"].schema.$ref;

test("no schema has what only our own validator or OpenAPI 3.0 knows", () => {
  const text = JSON.stringify(document.components.schemas) + JSON.stringify(document.paths);
  expect(text).not.toContain('"nullable"');
  expect(text).not.toContain('"format":"text"');
  expect(text).not.toContain('"const"');
  expect(text).not.toContain("^(.*)$");
  const limit = document.paths["/api/v1/app"].get.parameters.find(({ name }: Json) => name === "limit");
  expect(limit.schema).toEqual({ type: "integer", minimum: 1, maximum: 250 });
  const order = document.paths["/api/v1/app"].get.parameters.find(({ name }: Json) => name === "order");
  expect(order.schema).toEqual({ type: "string", enum: ["ascending", "descending"] });
});

test("openapi-typescript makes types of it that compile and fit", async () => {
  const folder = temporaryFolder();
  const at = join(folder, "openapi.json");
  await Bun.write(at, JSON.stringify(document));
  const generator = Bun.spawn([process.execPath, join(root, "test/harness/openapi-types.ts"), at], {
    stdout: Bun.file(join(folder, "api.ts")),
    stderr: "pipe",
  });
  expect([await generator.exited, await generator.stderr.text()]).toEqual([0, ""]);
  await Bun.write(
    join(folder, "use.ts"),
    `import type { components, operations } from "./api.ts";
     const body: components["schemas"]["MessageIn"] = { eventType: "user.signup", payload: { any: ["thing"] } };
     type Accepted = operations["v1.message.create"]["responses"][202]["content"]["application/json"];
     export const idOf = ({ id, eventId }: Accepted): [string, string | null] => [id, eventId];
     // @ts-expect-error a field of another type
     export const wrong: components["schemas"]["ApplicationIn"] = { name: 1 };
     export default body;`,
  );
  const compiler = Bun.spawn(
    [
      join(root, "node_modules/.bin/tsc"),
      "--noEmit",
      "--strict",
      "--ignoreConfig",
      "--allowImportingTsExtensions",
      join(folder, "use.ts"),
    ],
    { stdout: "pipe", stderr: "pipe" },
  );
  expect([await compiler.stdout.text(), await compiler.exited]).toEqual(["", 0]);
  rmSync(folder, { recursive: true });
}, 60_000);
