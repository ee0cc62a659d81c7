/**
 * The compiled executable: built once a run, started as a user would, with an environment of its own. What a failed
 * test leaves running is ended when the run is.
 */
import { spawn } from "node:child_process";
import { chmodSync, chownSync, closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { socketUrl } from "../../src/lib/embedded-postgres/index.ts";
import { findPostmaster } from "../../src/lib/embedded-postgres/pid-file.ts";
import { DATABASE, SOCKET_PORT, SUPERUSER } from "../../src/lib/embedded-postgres/settings.ts";
import { signToken } from "../../src/services/tokens.ts";
import { temporaryFolder } from "./postgres.ts";
import { until } from "./receiver.ts";

export type AppOptions = {
  args: string[];
  env?: Record<string, string>;
  /** @default a new empty folder, which is HOME too */
  cwd?: string;
  /** Run it as `nobody`, which takes root. */
  unprivileged?: boolean;
};

export type App = {
  pid: number;
  /** The exit code; 128 and the signal's number when a signal ended it. */
  exited: Promise<number>;
  kill(signal?: NodeJS.Signals): void;
  stdout(): string;
  stderr(): string;
  /** The log lines so far. */
  lines(): LogLine[];
  /** Resolves with the first log line of that message. */
  logged(msg: string, ms?: number): Promise<LogLine>;
};

export type LogLine = Record<string, unknown> & { msg: string; level: string };
export type Service = App & { url: string; port: number };

export const jwtSecret = "kX3vQ9mW-e2e-only-7bTzR5yH2nLpD8sF";
export const orgToken = await signToken({
  secret: jwtSecret,
  subject: "org_000000000000000000000000e2e",
  expiresInSeconds: 3600,
});
export const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534 };

const root = join(import.meta.dir, "../..");
const running = new Set<App>();
const dataDirs = new Set<string>();
let building: Promise<string> | null = null;
let template: Promise<string> | null = null;

/** The path of the executable. */
export function binary(): Promise<string> {
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  const path = join(temporaryFolder(), "app");
  const child = Bun.spawn([process.execPath, join(root, ".ci/build.ts"), "--outfile", path], {
    cwd: root,
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return path;
}

/** A folder for DATA_DIR or the like, of the user that the executable will run as. */
export function folderFor({ unprivileged = false } = {}): string {
  const folder = temporaryFolder();
  if (unprivileged) chownSync(folder, nobody.uid, nobody.gid);
  return folder;
}

/** A DATA_DIR where a first start has been already: unpacking PostgreSQL and making a cluster takes seconds. */
export async function usedDataDir({ unprivileged = false } = {}): Promise<string> {
  template ??= (async () => {
    const dataDir = folderFor();
    const { code, stderr } = await runApp(["migrate"], { env: { DATA_DIR: dataDir } });
    if (code !== 0) throw new Error(stderr);
    return dataDir;
  })();
  const from = await template;
  const folder = folderFor();
  const copy = Bun.spawnSync(["cp", "-a", `${from}/.`, folder]);
  if (!copy.success) throw new Error(copy.stderr.toString());
  if (unprivileged) Bun.spawnSync(["chown", "-R", `${nobody.uid}:${nobody.gid}`, folder]);
  return folder;
}

export async function startApp(options: AppOptions): Promise<App> {
  const path = await binary();
  const cwd = options.cwd ?? folderFor(options);
  const output = temporaryFolder();
  chmodSync(output, 0o755);
  const [outPath, errPath] = [join(output, "stdout.log"), join(output, "stderr.log")];
  const [out, err] = [openSync(outPath, "w"), openSync(errPath, "w")];
  if (options.env?.DATABASE_URL === undefined) dataDirs.add(options.env?.DATA_DIR ?? join(cwd, "data"));
  const child = spawn(path, options.args, {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: cwd, HOST: "127.0.0.1", EGRESS_ALLOW: "127.0.0.0/8", ...options.env },
    stdio: ["ignore", out, err],
    ...(options.unprivileged && nobody),
  });
  closeSync(out);
  closeSync(err);
  const exited = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      running.delete(app);
      resolve(code ?? 128 + (signal === "SIGKILL" ? 9 : 15));
    });
  });
  const stdout = () => readFileSync(outPath, "utf8");
  const stderr = () => readFileSync(errPath, "utf8");
  const lines = () =>
    stdout()
      .split("\n")
      .slice(0, -1)
      .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as LogLine] : []));
  const app: App = {
    pid: child.pid ?? 0,
    exited,
    kill: (signal = "SIGTERM") => void child.kill(signal),
    stdout,
    stderr,
    lines,
    async logged(msg, ms = 20_000) {
      let found: LogLine | undefined;
      const holds = () => {
        found = lines().find((line) => line.msg === msg);
        if (!found && child.exitCode !== null) throw new Error(`it ended: ${stdout()}${stderr()}`);
        return found !== undefined;
      };
      await until(holds, ms, () => `no "${msg}" from ${options.args.join(" ")}:\n${stdout()}${stderr()}`);
      return found as LogLine;
    },
  };
  running.add(app);
  return app;
}

/** Runs it to its end. */
export async function runApp(args: string[], options: Omit<AppOptions, "args"> = {}) {
  const app = await startApp({ ...options, args });
  const code = await app.exited;
  return { code, stdout: app.stdout(), stderr: app.stderr() };
}

/** A `serve` that takes requests. */
export async function startServe(options: Partial<AppOptions> = {}): Promise<Service> {
  const env = { PORT: "0", JWT_SECRET: jwtSecret, ...options.env };
  const app = await startApp({ ...options, args: ["serve", ...(options.args ?? [])], env });
  const port = (await app.logged("listening")).port as number;
  return { ...app, port, url: `http://127.0.0.1:${port}` };
}

/** A `worker` that takes work. */
export async function startWorker(options: Partial<AppOptions> = {}): Promise<Service> {
  const env = { WORKER_PORT: "0", JWT_SECRET: jwtSecret, ...options.env };
  const app = await startApp({ ...options, args: ["worker", ...(options.args ?? [])], env });
  const port = (await app.logged("health and metrics")).port as number;
  return { ...app, port, url: `http://127.0.0.1:${port}` };
}

/** Ends what this run started and has not ended, embedded PostgreSQL too. */
export function killApps(): void {
  for (const app of running) process.kill(app.pid, "SIGKILL");
  running.clear();
  for (const dataDir of dataDirs) {
    const server = postmasterIn(dataDir);
    if (server !== null) process.kill(server, "SIGQUIT");
  }
  dataDirs.clear();
}

/** The pid of the PostgreSQL that runs on the DATA_DIR. */
export const postmasterIn = (dataDir: string): number | null =>
  findPostmaster(join(dataDir, "postgres/data"))?.pid ?? null;

/** The URL of the database that runs on the DATA_DIR. */
export function databaseIn(dataDir: string): string {
  const { socketDir } = findPostmaster(join(dataDir, "postgres/data")) ?? {};
  if (socketDir === undefined) throw new Error(`no PostgreSQL runs on ${dataDir}`);
  return socketUrl({ socketDir, port: SOCKET_PORT, user: SUPERUSER, database: DATABASE });
}

process.on("exit", killApps);
