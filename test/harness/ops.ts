import type { TestDatabase } from "./postgres.ts";
import { until } from "./receiver.ts";

type Line = Record<string, string | number | boolean | null>;
export type OpsEnd = {
  code: number;
  out: string;
  err: string;
  /** The JSON lines that it printed. */
  lines: Line[];
  summary: Line | undefined;
};

/** Operators' scripts from the source, on a test's database. */
export function opsOn(database: Pick<TestDatabase, "url" | "sql">, env: Record<string, string> = {}) {
  const start = (...args: string[]) =>
    Bun.spawn(["bun", "src/main.ts", "ops", ...args], {
      env: { PATH: Bun.env.PATH, DATABASE_URL: database.url, ...env },
      stdout: "pipe",
      stderr: "pipe",
      timeout: 60_000,
      killSignal: "SIGKILL",
    });
  const finish = async (child: ReturnType<typeof start>): Promise<OpsEnd> => {
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    const lines = out
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line);
    return { code, out, err, lines, summary: lines.findLast(({ event }) => event === "summary") };
  };
  /** Ends it with that signal; after SIGKILL the server goes on with a statement under way, until it has noticed. */
  const cut = async (child: ReturnType<typeof start>, signal: "SIGINT" | "SIGKILL"): Promise<OpsEnd> => {
    child.kill(signal);
    const end = await finish(child);
    const connected = () =>
      database.sql`select 1 from pg_stat_activity
                   where datname = current_database() and application_name like 'posthorn ops %'`;
    await until(async () => (await connected()).length === 0, 20_000);
    return end;
  };
  return { start, finish, cut, run: (...args: string[]) => finish(start(...args)) };
}
