import { namePattern } from "../schemas/common.ts";
import { invalid } from "../services/errors.ts";

const name = new RegExp(namePattern);

/**
 * The names in a list parameter: `x=a,b`, `x=a&x=b`, `x[]=a&x[]=b` or `x[0]=a&x[1]=b`. Null when there are none.
 * @throws AppError validation, when one is not a name
 */
export function namesInQuery(request: Request, parameter: string): string[] | null {
  const names: string[] = [];
  for (const [key, value] of new URL(request.url).searchParams) {
    if (!key.startsWith(parameter) || !/^(?:\[\d*\])?$/.test(key.slice(parameter.length))) continue;
    names.push(...value.split(",").filter((part) => part !== ""));
  }
  for (const each of names) {
    if (!name.test(each) || each.length > 256) throw invalid(["query", parameter], "must be names");
  }
  return names.length === 0 ? null : [...new Set(names)];
}
