import { isObject, isSchema, type JsonObject, type Schema, subschemas } from "./subschemas.ts";

/** A schema with an address of its own: the whole, or one inside it with an `$id`. */
type Resource = { url: string; root: JsonObject; anchors: Map<string, JsonObject> };

export type References = {
  /** @returns the schema that a `$ref` in this one names; null when the whole holds none such */
  resolve(from: JsonObject, ref: string): Schema | null;
};

const ownUrl = "json-schema:///";

/** Finds what the references in a schema name. Only what the schema itself holds can be named: nothing is fetched. */
export function createReferences(root: JsonObject): References {
  const resources = new Map<string, Resource>();
  const resourceOf = new Map<JsonObject, Resource>();

  const open = (schema: JsonObject, url: string): Resource => {
    const resource = { url, root: schema, anchors: new Map<string, JsonObject>() };
    resources.set(url, resource);
    return resource;
  };

  const note = (schema: JsonObject, outer: Resource): Resource => {
    const id = typeof schema.$id === "string" ? schema.$id : "";
    // Draft 6 and 7 name a place this way.
    if (id.startsWith("#")) outer.anchors.set(id.slice(1), schema);
    const url = id === "" || id.startsWith("#") ? null : resolveUrl(id, outer.url);
    const resource = url === null ? outer : open(schema, withoutFragment(url));
    if (typeof schema.$anchor === "string") resource.anchors.set(schema.$anchor, schema);
    resourceOf.set(schema, resource);
    return resource;
  };

  const walk = (schema: JsonObject, outer: Resource): void => {
    const resource = note(schema, outer);
    for (const one of subschemas(schema)) walk(one, resource);
  };
  const whole = open(root, ownUrl);
  walk(root, whole);

  return {
    resolve(from, ref) {
      const url = resolveUrl(ref, (resourceOf.get(from) ?? whole).url);
      if (url === null) return null;
      const resource = resources.get(withoutFragment(url));
      if (resource === undefined) return null;
      const fragment = decode(url.includes("#") ? url.slice(url.indexOf("#") + 1) : "");
      if (fragment === null) return null;
      const found = fragment.startsWith("/")
        ? follow(resource.root, fragment)
        : fragment === ""
          ? resource.root
          : resource.anchors.get(fragment);
      if (!isSchema(found)) return null;
      if (isObject(found) && !resourceOf.has(found)) walk(found, resource);
      return found;
    },
  };
}

function follow(root: unknown, pointer: string): unknown {
  let at = root;
  for (const part of pointer.slice(1).split("/")) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as JsonObject)[key];
  }
  return at;
}

function resolveUrl(url: string, base: string): string | null {
  try {
    return new URL(url, base).href;
  } catch {
    return null;
  }
}

const withoutFragment = (url: string): string => url.replace(/#.*$/s, "");

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
