import { type ArgsDef, type CommandDef, type CommandMeta, renderUsage, runCommand } from "citty";
import { isFlag, strictArgv, takesValue } from "./cli-argv.ts";
import { errorSentence, exitCodeOf, suggestion, UsageError } from "./cli-errors.ts";

/** A part of a command's help below citty's usage. */
export interface HelpSection {
  title: string;
  body: string;
}

/** What a command has beyond citty's definition. */
export interface CommandExtras {
  sections?: () => HelpSection[];
  /** Flags that may be given several times; the command gets their values joined with commas. */
  repeatable?: readonly string[];
}

/** Where the command line's words go. */
export interface CliOutput {
  out: (text: string) => void;
  err: (text: string) => void;
  /** Print stacks with errors. */
  debug: boolean;
}

type Loader = () => Promise<CommandDef>;

const loaders = new WeakMap<CommandDef, Loader>();
const extras = new WeakMap<CommandDef, CommandExtras>();

/** Adds help sections and repeatable flags to a command. */
export function extendCommand<T extends ArgsDef>(command: CommandDef<T>, more: CommandExtras): CommandDef<T> {
  extras.set(command as unknown as CommandDef, more);
  return command;
}

/** A subcommand whose file is loaded when it is called; listing it needs only the description. */
export function lazyCommand<T extends ArgsDef>(
  description: string,
  load: () => Promise<{ default: CommandDef<T> }>,
): CommandDef {
  const listed: CommandDef = { meta: { description } };
  // citty's type is invariant in the arguments, which nothing here looks at.
  loaders.set(listed, async () => (await load()).default as unknown as CommandDef);
  return listed;
}

/**
 * Runs a command line. A command's `run` may return an exit code; nothing returned is 0.
 * @param program the root command.
 * @param argv what follows the program's name.
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted. Never throws.
 */
export async function runCli<T extends ArgsDef>(
  program: CommandDef<T>,
  argv: readonly string[],
  io: CliOutput,
): Promise<number> {
  const root = program as unknown as CommandDef;
  try {
    if (argv[0] === "--version") {
      if (argv.length > 1) throw new UsageError(`Unexpected argument ${JSON.stringify(argv[1])}`);
      io.out(`${(await metaOf(root)).version ?? "unknown"}\n`);
      return 0;
    }
    const { command, path, rest } = await resolve(root, argv);
    if (asksFor(rest, ["--help", "-h"])) {
      io.out(await helpOf(command, path));
      return 0;
    }
    const args = await resolved(command.args, {});
    if (Object.keys(await resolved(command.subCommands, {})).length > 0) {
      strictArgv(rest, args);
      io.err(await helpOf(command, path));
      return 2;
    }
    const rawArgs = strictArgv(rest, args, extras.get(command)?.repeatable);
    const { result } = await runCommand(command, { rawArgs });
    return typeof result === "number" ? result : 0;
  } catch (error) {
    io.err(`${describe(error, io.debug)}\n`);
    return exitCodeOf(error);
  }
}

function describe(error: unknown, debug: boolean): string {
  const code = exitCodeOf(error);
  const sentence = errorSentence(error);
  if (error instanceof UsageError) return `${sentence}\nRun with --help for usage.`;
  if (!debug || code !== 1 || !(error instanceof Error)) return sentence;
  // The frames only: the head of a Drizzle error's stack is the statement with its parameters.
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  return [sentence, ...frames].join("\n");
}

async function resolve(root: CommandDef, argv: readonly string[]) {
  let command = root;
  let rest = [...argv];
  const path = [(await metaOf(root)).name ?? "app"];
  for (;;) {
    const subCommands = await resolved(command.subCommands, {});
    const names = Object.keys(subCommands);
    const at = names.length === 0 ? -1 : nameIndex(rest, await resolved(command.args, {}));
    const initial = await resolved(command.default, "");
    if (at < 0 && initial !== "" && !asksFor(rest, ["--help", "-h"])) {
      rest = [initial, ...rest];
      continue;
    }
    if (at < 0) return { command, path, rest };
    const name = rest[at] as string;
    // Flags before the name belong to the command before it, which must know them.
    const before = rest.slice(0, at).filter((token) => token !== "--help" && token !== "-h");
    strictArgv(before, await resolved(command.args, {}));
    if (!Object.hasOwn(subCommands, name)) {
      throw new UsageError(`Unknown command ${JSON.stringify(name)}${suggestion(name, names)}`);
    }
    const help = before.length < at ? ["--help"] : [];
    const listed = (await resolved(subCommands[name], {})) as CommandDef;
    command = (await loaders.get(listed)?.()) ?? listed;
    rest = [...rest.slice(at + 1), ...help];
    path.push(name);
  }
}

function nameIndex(argv: readonly string[], args: ArgsDef): number {
  for (let at = 0; at < argv.length; at++) {
    const token = argv[at] as string;
    if (token === "--") return -1;
    if (!isFlag(token)) return at;
    if (takesValue(token, args)) at++;
  }
  return -1;
}

function asksFor(argv: readonly string[], flags: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).some((token) => flags.includes(token));
}

async function helpOf(command: CommandDef, path: readonly string[]): Promise<string> {
  const meta = await metaOf(command);
  const shown = { ...command, meta: { ...meta, name: path.join(" ") } };
  const sections = extras.get(command)?.sections?.() ?? [];
  const more = sections.map(({ title, body }) => `${title}\n\n${body}\n\n`).join("");
  // citty fills its tables up with blanks to the right, and colours some of them.
  const usage = (await renderUsage(shown)).replace(/ +((?:\p{Cc}\[\d*m)*)$/gmu, "$1").trimEnd();
  return `${usage}\n\n${more}`;
}

async function metaOf(command: CommandDef): Promise<CommandMeta> {
  return await resolved(command.meta, {});
}

async function resolved<T>(value: T | Promise<T> | (() => T | Promise<T>) | undefined, none: T): Promise<T> {
  const given = typeof value === "function" ? (value as () => T | Promise<T>)() : value;
  return (await given) ?? none;
}
