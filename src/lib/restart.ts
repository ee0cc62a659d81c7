import { dlopen, ptr } from "bun:ffi";
import type { Environment } from "./env.ts";

/**
 * Starts this process over with more in its environment, as the same process: execv(3). For what is read as a process
 * starts and never again. Belongs before anything is opened. A variable that is set already keeps its value.
 * @param args the program and what it is given, `argv[0]` first
 * @param env what this process was started with
 * @returns only where nothing was to be set, or where it can't be done: another system than Linux with the GNU C library
 */
export function restartWith(
  variables: Record<string, string>,
  args: readonly string[],
  env: Environment,
): void {
  const missing = Object.entries(variables).filter(([name]) => env[name] === undefined);
  const [program] = args;
  if (missing.length === 0 || program === undefined || process.platform !== "linux") return;
  try {
    const { symbols } = dlopen("libc.so.6", {
      setenv: { args: ["ptr", "ptr", "int"], returns: "int" },
      execv: { args: ["ptr", "ptr"], returns: "int" },
    });
    for (const [name, value] of missing) {
      // One that stays missing would make it start over for ever.
      if (symbols.setenv(text(name), text(value), 0) !== 0) return;
    }
    const texts = args.map(text);
    symbols.execv(text(program), BigUint64Array.from([...texts.map((one) => BigInt(ptr(one))), 0n]));
  } catch {
    // Then it goes on as it is.
  }
}

/** As C has it. */
const text = (value: string): Uint8Array => Buffer.from(`${value}\0`);
