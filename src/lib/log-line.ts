import pino from "pino";
import { isoTime, type Logger } from "./log.ts";
import { cleanText } from "./log-redaction.ts";

/** Numbers must be finite. What is undefined is left out. */
export type LineFields = Record<string, string | number | null | undefined>;

/**
 * A line that is logged for every message, at level info, as the logger itself would write it. Its fields are few, flat
 * and named by us: that leaves a fifth of the work, which beside a delivery is worth having. The names are neither looked
 * at nor escaped, so none may be a secret's.
 * @param log a logger of `createLogger`, or a child of one
 */
export function createLine(log: Logger, message: string): (fields: LineFields) => void {
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  return (fields) => {
    if (!log.isLevelEnabled("info")) return;
    const internals = log as unknown as Internals;
    let line = `{"level":"info"${isoTime()}${internals[pino.symbols.chindingsSym]}`;
    for (const name in fields) {
      const value = fields[name];
      if (value !== undefined) line += `,"${name}":${typeof value === "string" ? quote(value) : value}`;
    }
    internals[pino.symbols.streamSym].write(line + end);
  };
}

/** Where pino keeps where a logger's lines go, and the text of the fields that they all have. */
type Internals = {
  [pino.symbols.chindingsSym]: string;
  [pino.symbols.streamSym]: pino.DestinationStream;
};

const plain = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  const clean = cleanText(text);
  return plain.test(clean) ? `"${clean}"` : JSON.stringify(clean);
}
