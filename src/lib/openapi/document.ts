/** An OpenAPI 3.1 document out of an Elysia app's routes. https://spec.openapis.org/oas/v3.1.0 */
import { Kind, type TSchema, Type } from "@sinclair/typebox";
import { type Components, createComponents, isOptional, type JsonSchema } from "./json-schema.ts";
import { sampleOf } from "./sample.ts";

/** What is read of a route; Elysia's own type has more. */
export type DescribedRoute = {
  method: string;
  path: string;
  hooks?: {
    params?: unknown;
    query?: unknown;
    body?: unknown;
    response?: unknown;
    detail?: unknown;
  };
};

/** What a route says of itself, beside its schemas. */
export type RouteDetail = {
  hide?: boolean;
  operationId?: string;
  summary?: string;
  description?: string;
  deprecated?: boolean;
  tags?: string[];
  security?: Record<string, string[]>[];
};

export type Example = { summary?: string; value: unknown };
export type Parameter = {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: JsonSchema;
};

export type ApiDescription = {
  info: Record<string, unknown>;
  servers: { url: string; description?: string }[];
  security: Record<string, string[]>[];
  securitySchemes: Record<string, unknown>;
  tags: { name: string; description: string }[];
  tagOf(operationId: string): string;
  /** What is held once: see `createComponents`. */
  names: Iterable<readonly [string, TSchema]>;
  /** Of what stands in a path. */
  pathParameters: Record<string, { description: string; example: string }>;
  /** Headers that every route with this method reads. */
  headers: Record<string, Parameter[]>;
  /** Answers that any route may give: held once, when a route gives them with this very schema. */
  answers: Record<
    string,
    { name: string; schema: TSchema; description: string; examples: Record<string, Example> }
  >;
  /** What a success means, unless the route says. */
  successes: Record<string, string>;
  responseHeaders: Record<string, unknown>;
};

export type OpenApiDocument = { openapi: string; paths: Record<string, Record<string, unknown>> } & Record<
  string,
  unknown
>;

export function describeRoutes(routes: readonly DescribedRoute[], api: ApiDescription): OpenApiDocument {
  const components = createComponents(api.names);
  const paths: OpenApiDocument["paths"] = {};
  for (const route of routes) {
    const detail = (route.hooks?.detail ?? {}) as RouteDetail;
    if (detail.hide === true || detail.operationId === undefined) continue;
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, detail, api, components) };
  }
  const responses = Object.entries(api.answers).map(([, { name, schema, description, examples }]) => [
    name,
    { description, headers: headerRefs(api), content: json(schema, components, { examples }) },
  ]);
  const schemas = components.schemas();
  addSamples(paths, schemas);
  return {
    openapi: "3.1.0",
    info: api.info,
    servers: api.servers,
    security: api.security,
    tags: api.tags,
    paths,
    components: {
      securitySchemes: api.securitySchemes,
      headers: api.responseHeaders,
      responses: Object.fromEntries(responses),
      schemas,
    },
  };
}

function operation(route: DescribedRoute, detail: RouteDetail, api: ApiDescription, components: Components) {
  const { hide: _, operationId = "", tags = [api.tagOf(operationId)], ...rest } = detail;
  const body = route.hooks?.body as TSchema | undefined;
  const parameters = [
    ...pathParameters(route, api, components),
    ...queryParameters(route, components),
    ...(api.headers[route.method] ?? []),
  ];
  return {
    operationId,
    tags,
    ...rest,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: !isOptional(body), content: json(body, components) } }),
    responses: answers(route, api, components),
  };
}

function pathParameters(route: DescribedRoute, api: ApiDescription, components: Components): Parameter[] {
  const schemas = propertiesOf(route.hooks?.params);
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    const { description: usual, ...schema } = components.use(schemas[name] ?? Type.String());
    const { description = usual as string, example } = api.pathParameters[name] ?? {};
    return {
      name,
      in: "path",
      required: true,
      ...(description !== undefined && { description }),
      schema: { ...schema, ...(example !== undefined && { examples: [example] }) },
    };
  });
}

function queryParameters(route: DescribedRoute, components: Components): Parameter[] {
  return Object.entries(propertiesOf(route.hooks?.query)).map(([name, property]) => {
    const { description, ...schema } = components.use(property);
    return {
      name,
      in: "query",
      required: !isOptional(property),
      ...(description !== undefined && { description: description as string }),
      schema,
    };
  });
}

function propertiesOf(schema: unknown): Record<string, TSchema> {
  return ((schema as TSchema | undefined)?.properties ?? {}) as Record<string, TSchema>;
}

function answers(route: DescribedRoute, api: ApiDescription, components: Components) {
  const given = Object.entries((route.hooks?.response ?? {}) as Record<string, TSchema>);
  return Object.fromEntries(
    given.map(([status, schema]) => {
      const shared = api.answers[status];
      if (shared?.schema === schema) return [status, { $ref: `#/components/responses/${shared.name}` }];
      const description = schema.description ?? api.successes[status] ?? shared?.description ?? "An answer";
      const content = schema[Kind] === "Undefined" ? {} : { content: json(schema, components) };
      return [status, { description, headers: headerRefs(api), ...content }];
    }),
  );
}

function headerRefs(api: ApiDescription) {
  return Object.fromEntries(
    Object.keys(api.responseHeaders).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

function json(schema: TSchema, components: Components, more: { examples?: Record<string, Example> } = {}) {
  return { "application/json": { schema: components.use(schema), ...more } };
}

/** Gives every body that has no examples of its own the one that its schema makes. */
function addSamples(node: unknown, schemas: Record<string, JsonSchema>): void {
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key !== "application/json") addSamples(value, schemas);
    else if (!("examples" in value)) value.example = sampleOf(value.schema, schemas);
  }
}
