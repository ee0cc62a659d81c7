import type { ArgDef, ArgsDef, BooleanArgDef, EnumArgDef, StringArgDef } from "citty";
import { suggestion, UsageError } from "./cli-errors.ts";

type FlagDef = BooleanArgDef | StringArgDef | EnumArgDef;

interface Flag {
  name: string;
  def: FlagDef;
}

/**
 * Checks a command's own arguments, which citty takes in silently, and spells them in the one way that citty
 * can't misread: `--name=value` for each flag, then `--` and the positionals.
 * @param repeatable names of flags that may stand several times; their values are joined with commas.
 * @throws UsageError that names what is wrong and the nearest right name.
 */
export function strictArgv(
  argv: readonly string[],
  args: ArgsDef,
  repeatable: readonly string[] = [],
): string[] {
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const token = argv[at] as string;
    if (token === "--") {
      positionals.push(...argv.slice(at + 1));
      break;
    }
    if (!isFlag(token)) {
      positionals.push(token);
      continue;
    }
    const { flag, negated, given, written } = findFlag(token, args);
    const isBoolean = flag.def.type === "boolean";
    let value = given;
    if (isBoolean) value = booleanValue(written, negated, given);
    else if (value === undefined) value = valueAfter(argv[++at], written);
    if (value === "") throw new UsageError(`${written} needs a value, got an empty one.`);
    values.set(flag.name, [...(values.get(flag.name) ?? []), value as string]);
  }
  checkPositionals(positionals, args);
  return [...spellFlags(values, args, repeatable), "--", ...positionals];
}

/** Is it a flag? A lone dash and negative numbers are not. */
export function isFlag(token: string): boolean {
  return token.startsWith("-") && token !== "-" && !/^-\d/.test(token);
}

/** Does this token take the next one as its value? Unknown flags don't. */
export function takesValue(token: string, args: ArgsDef): boolean {
  if (token.includes("=")) return false;
  const flag = lookUp(token, args);
  return flag !== undefined && flag.def.type !== "boolean";
}

function findFlag(token: string, args: ArgsDef) {
  const equals = token.indexOf("=");
  const written = equals < 0 ? token : token.slice(0, equals);
  const given = equals < 0 ? undefined : token.slice(equals + 1);
  const flag = lookUp(written, args);
  if (flag) return { flag, negated: false, given, written };
  const positive = written.startsWith("--no-") ? lookUp(`--${written.slice(5)}`, args) : undefined;
  if (positive?.def.type === "boolean") return { flag: positive, negated: true, given, written };
  const known = flagsOf(args).flatMap(({ name, def }) => [`--${name}`, ...aliasesOf(def).map(spellAlias)]);
  throw new UsageError(`Unknown flag ${written}${suggestion(written, [...known, "--help"])}`);
}

function booleanValue(written: string, negated: boolean, given: string | undefined): string {
  if (given === undefined) return negated ? "false" : "true";
  if (!negated && (given === "true" || given === "false")) return given;
  throw new UsageError(`${written} takes no value, got ${JSON.stringify(given)}.`);
}

function valueAfter(next: string | undefined, written: string): string {
  // "--port --host x" is a forgotten value, not a port called --host.
  if (next === undefined || next === "--") throw new UsageError(`${written} needs a value.`);
  if (!isFlag(next)) return next;
  throw new UsageError(`${written} needs a value; for one that starts with a dash write ${written}=${next}.`);
}

function checkPositionals(positionals: readonly string[], args: ArgsDef): void {
  const expected = Object.entries(args).filter(([, def]) => def.type === "positional");
  const stray = positionals[expected.length];
  if (stray !== undefined) {
    const flags = flagsOf(args).map(({ name }) => `--${name}`);
    const near = stray.startsWith("-") ? "" : suggestion(`--${stray}`, flags);
    throw new UsageError(`Unexpected argument ${JSON.stringify(stray)}${near}`);
  }
  if (positionals.includes("")) throw new UsageError("An argument is empty.");
  const missing = expected[positionals.length];
  if (missing && missing[1].required !== false && missing[1].default === undefined) {
    throw new UsageError(`Missing argument <${missing[0]}>.`);
  }
}

function spellFlags(values: Map<string, string[]>, args: ArgsDef, repeatable: readonly string[]): string[] {
  for (const { name, def } of flagsOf(args)) {
    if (def.required && !values.has(name)) throw new UsageError(`Missing --${name}.`);
  }
  return [...values].map(([name, given]) => {
    const def = args[name];
    if (given.length > 1 && !repeatable.includes(name)) {
      throw new UsageError(`--${name} is given ${given.length} times; give it once.`);
    }
    for (const value of given) {
      if (def?.type !== "enum" || !def.options || def.options.includes(value)) continue;
      const options = def.options.join(", ");
      throw new UsageError(
        `--${name} is one of ${options}; got ${JSON.stringify(value)}${suggestion(value, def.options)}`,
      );
    }
    if (def?.type === "boolean") return given[0] === "true" ? `--${name}` : `--no-${name}`;
    return `--${name}=${given.join(",")}`;
  });
}

function lookUp(written: string, args: ArgsDef): Flag | undefined {
  return flagsOf(args).find(
    ({ name, def }) =>
      written === `--${name}` || aliasesOf(def).some((alias) => written === spellAlias(alias)),
  );
}

function flagsOf(args: ArgsDef): Flag[] {
  return Object.entries(args).flatMap(([name, def]) => (isFlagDef(def) ? [{ name, def }] : []));
}

function isFlagDef(def: ArgDef): def is FlagDef {
  return def.type !== "positional";
}

function aliasesOf(def: FlagDef): string[] {
  return def.alias === undefined ? [] : [def.alias].flat();
}

function spellAlias(alias: string): string {
  return alias.length === 1 ? `-${alias}` : `--${alias}`;
}
