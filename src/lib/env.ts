import { type Static, type TObject, type TProperties, type TSchema, TypeGuard } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** The environment as a process has it: names to texts. */
export type Environment = Record<string, string | undefined>;

/** One variable: what it is called, what it is for, and how its text becomes a value. */
export interface Variable {
  readonly name: string;
  readonly description: string;
  /** What holds when the variable is unset. Absent: the caller implies it, or the field is optional. */
  readonly default?: unknown;
  /** What the documentation shows in place of the default. */
  readonly defaultText?: string;
  /** What a right value looks like, for schemas that can't say it themselves. */
  readonly expected?: string;
  /** Turns the text into a value for the schema; `undefined` for a text that can't be read. */
  readonly read?: (text: string) => unknown;
  /** What may never be shown: all of the value, or the password in a URL. */
  readonly hide?: "value" | "password";
  /** An empty text is a value here; elsewhere it means unset. */
  readonly emptyIsValue?: boolean;
}

/** What is wrong with one variable, ready to print: `got` is redacted already. */
export interface Problem {
  readonly name: string;
  readonly got: string;
  readonly expected: string;
}

/** Ties an environment variable to the schema of its value. */
export function variable<S extends TSchema>(name: string, schema: S, spec: Omit<Variable, "name">): S {
  return { ...schema, variable: { name, ...spec } satisfies Variable };
}

/** The variable that `variable` tied to this schema. */
export function variableOf(schema: TSchema): Variable {
  return schema.variable as Variable;
}

/**
 * Reads every variable of `schema` out of `env`. Wrong ones are all reported, none stops the reading;
 * `values` holds the right ones and the defaults, and is a full object only when `problems` is empty.
 */
export function readVariables<P extends TProperties>(
  schema: TObject<P>,
  env: Environment,
): { values: Partial<Static<TObject<P>>>; problems: Problem[] } {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [field, property] of Object.entries<TSchema>(schema.properties)) {
    const spec = variableOf(property);
    const text = env[spec.name];
    if (text === undefined || (text === "" && !spec.emptyIsValue)) {
      if (spec.default !== undefined) values[field] = spec.default;
      continue;
    }
    const value = (spec.read ?? readerOf(property))(text);
    if (value !== undefined && Value.Check(property, value)) values[field] = value;
    else problems.push({ name: spec.name, got: show(spec, text), expected: expectedOf(property) });
  }
  return { values: values as Partial<Static<TObject<P>>>, problems };
}

/** What a right value of this variable looks like, in words. */
export function expectedOf(schema: TSchema): string {
  const { expected } = variableOf(schema);
  if (expected) return expected;
  if (TypeGuard.IsInteger(schema)) return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (TypeGuard.IsNumber(schema)) return `a number from ${schema.minimum} to ${schema.maximum}`;
  if (TypeGuard.IsBoolean(schema)) return "true or false";
  if (TypeGuard.IsUnionLiteral(schema)) return `one of ${schema.anyOf.map((one) => one.const).join(", ")}`;
  return "some text";
}

/** The default as text, the way that one would set it; "unset" when there is none. */
export function defaultTextOf(schema: TSchema): string {
  const spec = variableOf(schema);
  return spec.defaultText ?? (spec.default === undefined ? "unset" : String(spec.default));
}

/** A URL, or what was meant to be one, without its password. Never throws. */
export function redactUrl(text: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (!scheme) return "***";
  const rest = text.slice(scheme.length);
  // Up to the last "@": a password that forgot to encode an "@" or a "/" must not show its tail.
  const at = rest.lastIndexOf("@");
  const user = at < 0 ? "" : rest.slice(0, at);
  const shownUser = user.includes(":")
    ? `${user.slice(0, user.indexOf(":"))}:***@`
    : at < 0
      ? ""
      : `${user}@`;
  return scheme + shownUser + rest.slice(at + 1).replace(/(password|secret|token)=[^&#]*/gi, "$1=***");
}

function show(spec: Variable, text: string): string {
  if (spec.hide === "value") return `a secret of ${text.length} characters`;
  const shown = spec.hide === "password" ? redactUrl(text) : text;
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 77)}...` : shown);
}

function readerOf(schema: TSchema): (text: string) => unknown {
  if (TypeGuard.IsInteger(schema) || TypeGuard.IsNumber(schema)) return readNumber;
  if (TypeGuard.IsBoolean(schema)) return readBoolean;
  return (text) => text;
}

/** A decimal number, spelled plainly: no exponent, no hexadecimal, no blanks. */
export function readNumber(text: string): number | undefined {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function readBoolean(text: string): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}
