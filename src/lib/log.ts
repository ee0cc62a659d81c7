import pino from "pino";
import { prettyFactory } from "pino-pretty";
import { serializeError } from "./log-errors.ts";
import { createLogOutput, type LogOutput } from "./log-output.ts";
import { redact } from "./log-redaction.ts";

/** What the parts of the program log through; `createLogger` makes the root one. */
export type Logger = pino.Logger;

export interface LogOptions {
  level: pino.LevelWithSilent;
  /** `json`: one object a line. `pretty`: for eyes, colours and all; slower. */
  format: "json" | "pretty";
  /** Where lines go instead of stdout. */
  destination?: pino.DestinationStream;
}

/**
 * Makes the root logger. What is secret by its name never gets out, whoever logs it; errors lose their SQL.
 * Lines are buffered: `flush()` writes them at once, and the exit of the process does so by itself.
 */
export function createLogger({ level, format, destination }: LogOptions): Logger {
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: isoTime,
      serializers: { err: serializeError },
      formatters: {
        level: (label) => ({ level: label }),
        log: redact,
      },
      hooks: { logMethod: nameErrors },
    },
    destination ?? stdout(format),
  );
  // pino's own formatter of bindings holds for the root logger only.
  const child = log.child as unknown as PlainChild;
  log.child = function (this: Logger, bindings: pino.Bindings, options?: pino.ChildLoggerOptions) {
    return child.call(this, redact(bindings), options);
  } as unknown as typeof log.child;
  return log;
}

// pino's type is generic over levels of one's own, which there are none of.
type PlainChild = (this: Logger, bindings: pino.Bindings, options?: pino.ChildLoggerOptions) => Logger;

// An error logged without words gets its message as the line's, which must be the clean one.
function nameErrors(this: Logger, args: Parameters<pino.LogFn>, method: pino.LogFn): void {
  const [fields] = args as unknown[];
  const error = fields instanceof Error ? fields : (fields as { err?: unknown } | undefined)?.err;
  if (args.length > 1 || !(error instanceof Error)) method.apply(this, args);
  else method.call(this, fields, serializeError(error).message);
}

/** For commands whose stdout belongs to their result. */
export const stderr: pino.DestinationStream = { write: (line) => void process.stderr.write(line) };

function stdout(format: LogOptions["format"]): pino.DestinationStream {
  const output = createLogOutput(1);
  return format === "pretty" ? prettyOutput(output) : output;
}

// pino-pretty's own stream needs turns of the event loop, which the last lines before an exit don't get.
function prettyOutput(output: LogOutput): pino.DestinationStream {
  const prettify = prettyFactory({
    colorize: true,
    ignore: "pid",
    singleLine: true,
    translateTime: "SYS:HH:MM:ss.l",
  });
  return { ...output, write: (line) => output.write(prettify(line) ?? line) };
}

const time = { ms: -1, text: "" };

/** A line's time, as pino puts it in. Many lines share a millisecond; making the text costs more than a short line. */
export function isoTime(): string {
  const ms = Date.now();
  if (ms !== time.ms) {
    time.ms = ms;
    time.text = `,"time":"${new Date(ms).toISOString()}"`;
  }
  return time.text;
}
