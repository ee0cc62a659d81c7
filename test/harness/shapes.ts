import { expect } from "bun:test";
import shapes from "../api/shapes.json";

/** The reference server's response shapes: `field?` may be absent, `type[]` is a list, `type|null` may be null. */
export type ShapeName = keyof typeof shapes;

const primitives: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  integer: Number.isInteger,
  number: Number.isFinite,
  boolean: (value) => typeof value === "boolean",
  object: isObject,
  map: (value) => isObject(value) && Object.values(value).every((one) => typeof one === "string"),
  name: (value) => typeof value === "string" && /^[a-zA-Z0-9\-_.]{1,256}$/.test(value),
  time: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value),
  secret: (value) => typeof value === "string" && /^(whsec|whpk)_[A-Za-z0-9+/=]{32,100}$/.test(value),
  "app id": (value) => typeof value === "string" && /^app_[0-9A-Za-z]{27}$/.test(value),
  "msg id": (value) => typeof value === "string" && /^msg_[0-9A-Za-z]{27}$/.test(value),
  "atmpt id": (value) => typeof value === "string" && /^atmpt_[0-9A-Za-z]{27}$/.test(value),
  "qtask id": (value) => typeof value === "string" && /^qtask_[0-9A-Za-z]{27}$/.test(value),
  "ep id": (value) => typeof value === "string" && /^ep_[0-9A-Za-z]{27}$/.test(value),
};

export function expectShape(name: ShapeName, value: unknown): void {
  expect(faults(name, value, name)).toEqual([]);
}

function faults(type: string, value: unknown, at: string): string[] {
  if (type.endsWith("|null")) return value === null ? [] : faults(type.slice(0, -5), value, at);
  if (type.endsWith("[]")) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((one, n) => faults(type.slice(0, -2), one, `${at}[${n}]`));
  }
  const primitive = primitives[type];
  if (primitive) return primitive(value) ? [] : [`${at} is no ${type}: ${JSON.stringify(value)}`];
  if (!isObject(value)) return [`${at} is no object`];
  const fields: Record<string, string> = shapes[type as ShapeName];
  const known = Object.entries(fields).flatMap(([field, of]) => {
    const key = field.replace("?", "");
    if (key in value) return faults(of, value[key], `${at}.${key}`);
    return field.endsWith("?") ? [] : [`${at}.${key} is missing`];
  });
  const extra = Object.keys(value).filter((key) => !(key in fields) && !(`${key}?` in fields));
  return [...known, ...extra.map((key) => `${at}.${key} is not in the shape`)];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
