import { ValueErrorType } from "@sinclair/typebox/errors";
import { wordsOfPattern } from "./common.ts";

/** What TypeBox says of a value that its schema refuses. */
export type SchemaFault = {
  type?: number;
  path?: string;
  message?: string;
  schema?: Record<string, unknown>;
  /** One iterator for each branch of a union. */
  errors?: { First?(): SchemaFault | undefined }[];
};

/** Of a union, what its branches have to say, at the place that the first of them names; null was not what was meant. */
export function innermost(fault: SchemaFault): SchemaFault {
  if (fault.type === ValueErrorType.StringPattern) {
    return { ...fault, message: wordsOfPattern(fault.schema?.pattern) ?? "is not valid" };
  }
  if (fault.type !== ValueErrorType.Union) return fault;
  const branches = (fault.errors ?? []).flatMap((branch) => branch.First?.() ?? []).map(innermost);
  const meant = branches.filter((branch) => branch.type !== ValueErrorType.Null);
  const [first] = meant;
  if (first === undefined) return fault;
  const messages = new Set(meant.filter(({ path }) => path === first.path).map(({ message }) => message));
  return { ...first, message: [...messages].join(" or ") };
}
