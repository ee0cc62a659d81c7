import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { giveTo, type Home } from "./home.ts";

/**
 * Starts one of PostgreSQL's programs as the user that owns the cluster, in a session of its own, so that the
 * terminal's Ctrl-C doesn't reach it, and with nothing of our environment. Its output goes to a file, not to
 * a pipe that would break under it when this process dies.
 */
export function startProgram(path: string, args: string[], home: Home): ChildProcess {
  const output = openSync(outputPath(home), "w", 0o600);
  try {
    giveTo(outputPath(home), home.owner);
    const child = spawn(path, args, {
      cwd: home.dir,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" },
      detached: true,
      stdio: ["ignore", output, output],
      ...home.runAs,
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

/** Resolves once the program has ended, with what to say about it. */
export function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
}

/** @throws with the last lines of its output when it fails. */
export async function runProgram(path: string, args: string[], home: Home): Promise<void> {
  const child = startProgram(path, args, home);
  child.ref();
  const end = await ended(child);
  if (end !== "exit code 0") throw new Error(`${path} failed (${end}): ${lastOutput(home)}`);
}

/** The last lines that the program wrote, the server's by its pid also from its own log, where they go once that is open. */
export function lastOutput(home: Home, serverPid?: number): string {
  const lines = readFileSync(outputPath(home), "utf8").trim().split("\n");
  if (serverPid === undefined) return lines.slice(-8).join("\n");
  const newest = readdirSync(home.logDir)
    .map((name) => join(home.logDir, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (newest) lines.push(...readFileSync(newest, "utf8").trim().split("\n"));
  const own = lines.filter((line) => line.includes(`[${serverPid}]`) && !line.includes("log output"));
  return (own.length > 0 ? own : lines).slice(-8).join("\n");
}

function outputPath(home: Home): string {
  return join(home.dir, "startup.log");
}
