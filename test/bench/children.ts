/** The bench's own processes: the generator, the receiver, the limits. Each is ended when the bench is. */
import { join } from "node:path";
import type { FloorOptions } from "./floor-server.ts";
import type { InsertsOptions, InsertsResult } from "./limit-inserts.ts";
import type { PostsOptions, PostsResult } from "./limit-posts.ts";
import type { LoadOptions, LoadResult } from "./load.ts";
import { runText } from "./payload.ts";
import type { Report, Usage } from "./receiver.ts";

const running = new Set<Bun.Subprocess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function start(script: string, argument: string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, script), ...argument], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
    onExit: () => void running.delete(child),
  });
  running.add(child);
  return child;
}

/** Runs a script to its end and reads the JSON that it prints. */
async function run<Result>(script: string, options: object, secondsMax: number): Promise<Result> {
  const child = start(script, [JSON.stringify(options)]);
  const timer = setTimeout(() => child.kill("SIGKILL"), secondsMax * 1_000);
  const text = await new Response(child.stdout).text();
  const code = await child.exited;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${script} ended with ${code} within ${secondsMax} s: ${text}`);
  return JSON.parse(text) as Result;
}

export const load = (options: LoadOptions): Promise<LoadResult> =>
  run("load.ts", options, options.messages === undefined ? 120 + 2 * (options.seconds ?? 0) : 700);
export const signedPosts = (options: PostsOptions): Promise<PostsResult> =>
  run("limit-posts.ts", options, 60 + 2 * options.seconds);
export const inserts = (options: InsertsOptions): Promise<InsertsResult> =>
  run("limit-inserts.ts", options, 60 + 2 * options.seconds);

/** Reads the port that a server prints once it listens. */
async function portOf(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<number> {
  const { value } = await child.stdout.getReader().read();
  return Number(new TextDecoder().decode(value));
}

export type Floor = { pid: number; port: number; stop(): void };

export async function startFloor(options: FloorOptions): Promise<Floor> {
  const child = start("floor-server.ts", [JSON.stringify(options)]);
  return { pid: child.pid, port: await portOf(child), stop: () => child.kill("SIGKILL") };
}

export type Receiver = {
  url: string;
  report(run: number): Promise<Report>;
  usage(): Promise<Usage>;
  /** Waits until so many messages of the run have arrived, each once at each path; false when they don't in time. */
  arrived(run: number, count: number, secondsMax: number): Promise<boolean>;
  forget(run: number): Promise<void>;
  stop(): void;
};

export async function startReceiver(): Promise<Receiver> {
  const child = start("receiver.ts", []);
  const url = `http://127.0.0.1:${await portOf(child)}`;
  const ask = async <Answer>(path: string) => (await (await fetch(`${url}${path}`)).json()) as Answer;
  return {
    url,
    report: (of) => ask<Report>(`/report/${runText(of)}`),
    usage: () => ask<Usage>("/usage"),
    async arrived(of, count, secondsMax) {
      const deadline = performance.now() + secondsMax * 1_000;
      while ((await ask<number>(`/arrived/${runText(of)}`)) < count) {
        if (performance.now() > deadline) return false;
        await Bun.sleep(50);
      }
      return true;
    },
    forget: async (of) => void (await ask<boolean>(`/forget/${runText(of)}`)),
    stop: () => child.kill("SIGKILL"),
  };
}
