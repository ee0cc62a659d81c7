import { isObject } from "../lib/json-object.ts";
import type { PayloadFilter } from "../models/endpoints.ts";
import { isText } from "../schemas/common.ts";
import { invalid } from "./errors.ts";

const charactersMax = 8_192;
const depthMax = 10;
/** Conditions, groups and values of `in` together: what a message costs for each endpoint is bounded by it. */
const nodesMax = 100;
const stepsMax = 16;
const digitsMax = 15;

const comparisons: Readonly<Record<string, string>> = { eq: "==", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/**
 * A filter as a jsonpath predicate, which PostgreSQL evaluates where it chooses the deliveries. Each condition stands in
 * a filter of its own, `exists($ ? (…))`, where what isn't there or is of another type is plainly false: so `not` of it
 * is true.
 * @throws AppError validation (422) that names the place in the expression
 */
export function compileFilter(filter: PayloadFilter): string {
  if (JSON.stringify(filter).length > charactersMax) {
    throw invalid(["body", "filter"], `must have at most ${charactersMax} characters as JSON`);
  }
  const budget = { nodes: nodesMax };
  return `strict ${expression(filter, ["body", "filter"], depthMax, budget)}`;
}

type Budget = { nodes: number };

function spend(budget: Budget, loc: string[]): void {
  budget.nodes -= 1;
  if (budget.nodes < 0) throw invalid(loc, `a filter has at most ${nodesMax} conditions, groups and values`);
}

function expression(node: unknown, loc: string[], depthLeft: number, budget: Budget): string {
  if (depthLeft === 0) throw invalid(loc, `nests more than ${depthMax} deep`);
  spend(budget, loc);
  if (!isObject(node)) throw invalid(loc, "must be a condition with a path, or a group: and, or, not");
  if ("path" in node) return condition(node, loc, budget);
  const [[kind, operand] = [], ...rest] = Object.entries(node);
  if (kind === undefined || rest.length > 0)
    throw invalid(loc, "must have a path, or one of and, or, not alone");
  const at = [...loc, kind];
  if (kind === "not") return `!(${expression(operand, at, depthLeft - 1, budget)})`;
  if (kind !== "and" && kind !== "or") throw invalid(at, "is unknown: a group is and, or, not");
  if (!Array.isArray(operand) || operand.length === 0)
    throw invalid(at, "must be a list of one or more expressions");
  const parts = operand.map((one, n) => expression(one, [...at, String(n)], depthLeft - 1, budget));
  return `(${parts.join(kind === "and" ? " && " : " || ")})`;
}

function condition(node: Record<string, unknown>, loc: string[], budget: Budget): string {
  const { path, ...operators } = node;
  const steps = compilePath(path, [...loc, "path"]);
  const tests = Object.entries(operators).map(([name, operand]) => {
    const at = [...loc, name];
    spend(budget, at);
    return test(steps, name, operand, at, budget);
  });
  if (tests.length === 0) throw invalid(loc, "says nothing of its path: eq, in, gt, gte, lt, lte or exists");
  return `(${tests.join(" && ")})`;
}

function test(steps: string, name: string, operand: unknown, loc: string[], budget: Budget): string {
  if (name === "exists") {
    if (typeof operand !== "boolean") throw invalid(loc, "must be true or false");
    const there = `exists($ ? (exists(@${steps})))`;
    return operand ? there : `!(${there})`;
  }
  const holds = (what: string) => `exists($ ? (exists(@${steps} ? (${what}))))`;
  if (name === "in") {
    if (!Array.isArray(operand) || operand.length === 0)
      throw invalid(loc, "must be a list of one or more values");
    const values = operand.map((value, n) => {
      const at = [...loc, String(n)];
      spend(budget, at);
      return `@ == ${literal(value, at)}`;
    });
    return holds(values.join(" || "));
  }
  const sign = Object.hasOwn(comparisons, name) ? comparisons[name] : undefined;
  if (sign === undefined) throw invalid(loc, "is unknown: there are eq, in, gt, gte, lt, lte and exists");
  if (name !== "eq" && typeof operand !== "number" && typeof operand !== "string")
    throw invalid(loc, "must be a number or a string");
  return holds(`@ ${sign} ${literal(operand, loc)}`);
}

/** Numbers are compared exactly, so that one which was not read exactly must not pass for what was written. */
function literal(value: unknown, loc: string[]): string {
  if (typeof value === "string") {
    if (!isText(value)) throw invalid(loc, "must be text without control characters");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    const digits = String(Math.abs(value)).replace(/e.*$/, "").replace(".", "").replace(/^0+/, "");
    const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : digits.length <= digitsMax;
    if (!Number.isFinite(value) || !exact)
      throw invalid(
        loc,
        `must be from -2^53 + 1 to 2^53 - 1, and with a fraction have at most ${digitsMax} digits`,
      );
    return JSON.stringify(value);
  }
  if (typeof value === "boolean" || value === null) return String(value);
  throw invalid(loc, "must be a string, a number, true, false or null");
}

const step = /\.?([A-Za-z_$][\w$-]*)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** `data.items[0].sku`; a name of other characters stands as a JSON string: `data["a.b"]`. */
function compilePath(path: unknown, loc: string[]): string {
  if (typeof path !== "string" || !isText(path))
    throw invalid(loc, "must be a path such as data.items[0].amount");
  let compiled = "";
  let steps = 0;
  for (step.lastIndex = 0; step.lastIndex < path.length; steps += 1) {
    const from = step.lastIndex;
    const [found, name, index, quoted] = step.exec(path) ?? [];
    const dotted = found?.startsWith(".") === true;
    const key = name ?? (quoted === undefined ? undefined : unquote(quoted));
    if (
      found === undefined ||
      (name !== undefined && dotted === (from === 0)) ||
      (key === undefined && index === undefined)
    )
      throw invalid(loc, `can't be read from character ${from + 1} on: data.items[0].amount, data["a.b"]`);
    compiled += key === undefined ? `[${Number(index)}]` : `.${JSON.stringify(key)}`;
  }
  if (steps === 0 || steps > stepsMax) throw invalid(loc, `must have from 1 to ${stepsMax} steps`);
  return compiled;
}

function unquote(quoted: string): string | undefined {
  try {
    const name: unknown = JSON.parse(quoted);
    return typeof name === "string" && isText(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
