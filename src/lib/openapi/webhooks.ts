/**
 * The webhooks of an OpenAPI document (https://spec.openapis.org/oas/v3.1.0), and such a document out of webhooks.
 * Before 3.1 documents name them under `x-webhooks`.
 */

export type Webhook = {
  name: string;
  description: string;
  deprecated: boolean;
  /** The body's JSON Schema, complete: what it refers to stands in its `$defs`. */
  schema: Record<string, unknown> | null;
  groupName: unknown;
  featureFlags: unknown;
};

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Json => (isObject(value) ? value : {});
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Every webhook gets a copy of the components that it needs, which can make much out of little. */
export class TooLarge extends Error {}
type Budget = { spend(size: number): void };

function createBudget(max: number): Budget {
  let left = max;
  return {
    spend(size) {
      left -= size;
      if (left < 0) throw new TooLarge(`more than ${max} characters of schemas`);
    },
  };
}

/**
 * Null when the document has no webhooks. A webhook without an operation is passed over.
 * @throws TooLarge when the schemas together come to more than `charactersMax`
 */
export function readWebhooks(document: Json, charactersMax: number): Webhook[] | null {
  const found = [document.webhooks, document["x-webhooks"]].find(isObject);
  if (found === undefined) return null;
  const budget = createBudget(charactersMax);
  return Object.entries(found).flatMap(([name, item]) => {
    const path = object(deref(document, item));
    const methods = [path.post, path.put, path.get].filter(isObject);
    const operation = methods.find((one) => "requestBody" in one) ?? methods[0];
    return operation === undefined ? [] : [webhook(document, name, path, operation, budget)];
  });
}

function webhook(document: Json, name: string, path: Json, operation: Json, budget: Budget): Webhook {
  const body = object(deref(document, operation.requestBody));
  const descriptions = [
    operation.description,
    operation.summary,
    path.description,
    path.summary,
    body.description,
  ];
  return {
    name,
    description: descriptions.map(text).find((one) => one !== "") ?? "",
    deprecated: operation.deprecated === true,
    schema: schemaOf(document, body, budget),
    groupName: operation["x-svix-group-name"] ?? path["x-svix-group-name"],
    featureFlags: operation["x-svix-feature-flags"] ?? path["x-svix-feature-flags"],
  };
}

function schemaOf(document: Json, body: Json, budget: Budget): Json | null {
  const content = object(object(body.content)["application/json"]);
  if (!isObject(content.schema)) return null;
  const schema = bundled(document, content.schema, budget);
  if ("examples" in schema || "example" in schema) return schema;
  const named = Object.values(object(content.examples)).map((one) => object(deref(document, one)).value);
  const examples = [content.example, ...named].filter((one) => one !== undefined);
  return examples.length === 0 ? schema : { ...schema, examples };
}

/** The schema with the components that it needs in its `$defs`, so that one that refers to itself is no trouble. */
function bundled(document: Json, schema: Json, budget: Budget): Json {
  const components = object(object(document.components).schemas);
  const wanted = new Set<string>();
  const { name: referred, rest: within } = componentPath(schema.$ref);
  const whole = referred !== null && within === "" && Object.hasOwn(components, referred) ? referred : null;
  const own = whole === null ? schema : object(components[whole]);
  const walk = (value: unknown): unknown => {
    budget.spend(typeof value === "string" ? value.length : 1);
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        budget.spend(key.length);
        const { name, rest } = key === "$ref" ? componentPath(member) : noComponent;
        if (name === null || !Object.hasOwn(components, name)) return [key, walk(member)];
        if (name === whole) return [key, `#${rest}`];
        wanted.add(name);
        return [key, `#/$defs/${escaped(name)}${rest}`];
      }),
    );
  };
  const walked = object(walk(own));
  // A set goes on with what is added meanwhile: one after the other, however long a chain of references is.
  const defs = [...wantedOf(wanted, (name) => walk(components[name]))];
  if (defs.length === 0) return walked;
  return { ...walked, $defs: { ...object(walked.$defs), ...Object.fromEntries(defs) } };
}

function* wantedOf(wanted: Set<string>, walk: (name: string) => unknown): Generator<[string, unknown]> {
  for (const name of wanted) yield [name, walk(name)];
}

const componentRef = /^#\/components\/schemas\/([^/]+)(\/.*)?$/s;
const unescaped = (key: string) => key.replaceAll("~1", "/").replaceAll("~0", "~");
const escaped = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");

type ComponentPath = { name: string | null; rest: string };
const noComponent: ComponentPath = { name: null, rest: "" };

/** The component that a reference names, or goes on from. */
function componentPath(ref: unknown): ComponentPath {
  const [, name, rest = ""] = typeof ref === "string" ? (componentRef.exec(ref) ?? []) : [];
  return name === undefined ? noComponent : { name: unescaped(name), rest };
}

/** What a `$ref` inside the document stands for, or the value itself. Remote ones stand for nothing. */
function deref(document: Json, value: unknown): unknown {
  let at = value;
  for (let hops = 0; hops < 10 && isObject(at) && typeof at.$ref === "string"; hops += 1) {
    const keys = at.$ref.startsWith("#/") ? at.$ref.slice(2).split("/") : [];
    if (keys.length === 0) return undefined;
    at = keys
      .map(unescaped)
      .reduce<unknown>((of, key) => (isObject(of) && Object.hasOwn(of, key) ? of[key] : undefined), document);
  }
  return at;
}

/** @returns the parts of a document that `readWebhooks` reads the same out of again */
export function writeWebhooks(webhooks: Webhook[]): { webhooks: Json; components?: { schemas: Json } } {
  const schemas: Json = {};
  const written = webhooks.map((webhook): [string, unknown] => {
    const { name, description, deprecated, schema, groupName, featureFlags } = webhook;
    return [
      name,
      {
        post: {
          description,
          ...(deprecated && { deprecated }),
          ...(groupName != null && { "x-svix-group-name": groupName }),
          ...(featureFlags != null && { "x-svix-feature-flags": featureFlags }),
          ...(schema !== null && {
            requestBody: { content: { "application/json": { schema: place(name, schema) } } },
          }),
          responses: { "2XX": { description: "received" } },
        },
      },
    ];
  });
  /** One that refers to itself stands among the components: in a document, references start at its root. */
  function place(name: string, schema: Json): Json {
    const root = `#/components/schemas/${escaped(name)}`;
    const moved = movedTo(root, schema);
    if (moved === null) return schema;
    schemas[name] = moved;
    return { $ref: root };
  }
  const referring = Object.keys(schemas).length > 0;
  return { webhooks: Object.fromEntries(written), ...(referring && { components: { schemas } }) };
}

/** The schema with its references to itself starting at another root; null when there are none, or it has a root of its own. */
function movedTo(root: string, schema: Json): Json | null {
  if (schema.$id !== undefined) return null;
  let moved = false;
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        if (key !== "$ref" || typeof member !== "string" || !/^#(\/|$)/.test(member))
          return [key, walk(member)];
        moved = true;
        return [key, `${root}${member.slice(1)}`];
      }),
    );
  };
  const copy = object(walk(schema));
  return moved ? copy : null;
}
