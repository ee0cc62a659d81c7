import { dlopen, ptr } from "bun:ffi";
import { readFileSync } from "node:fs";

/**
 * Starts this process over with more in its environment, as the same process and with the same arguments: execv(3). For
 * what is read as a process starts and never again. Belongs before anything is opened. A variable that is set already
 * keeps its value.
 * @returns only where nothing was to be set, or where it can't be done: another system than Linux with the GNU C library
 */
export function restartWith(variables: Record<string, string>): void {
  if (process.platform !== "linux") return;
  try {
    const set = new Set(textsOf("environ").map((one) => one.slice(0, one.indexOf("="))));
    const missing = Object.entries(variables).filter(([name]) => !set.has(name));
    if (missing.length === 0) return;
    const args = textsOf("cmdline").map(text);
    const { symbols } = dlopen("libc.so.6", {
      setenv: { args: ["ptr", "ptr", "int"], returns: "int" },
      execv: { args: ["ptr", "ptr"], returns: "int" },
    });
    for (const [name, value] of missing) {
      // One that stays missing would make it start over for ever.
      if (symbols.setenv(text(name), text(value), 0) !== 0) return;
    }
    symbols.execv(text(process.execPath), BigUint64Array.from([...args.map((arg) => BigInt(ptr(arg))), 0n]));
  } catch {
    // Then it goes on as it is.
  }
}

/** What the process was started with: https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html */
const textsOf = (file: "environ" | "cmdline"): string[] =>
  readFileSync(`/proc/self/${file}`, "utf8").split("\0").slice(0, -1);

/** As C has it. */
const text = (value: string): Uint8Array => Buffer.from(`${value}\0`);
