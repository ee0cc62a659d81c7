/** A PostgreSQL server of a test's own, which the test may stop, kill and bring back on the same address. */
import type postgres from "postgres";
import { connect } from "../../src/database.ts";
import { DeadlineError, withDeadline } from "../../src/lib/deadline.ts";
import {
  type EmbeddedPostgres,
  socketUrl,
  startEmbeddedPostgres,
} from "../../src/lib/embedded-postgres/index.ts";
import { isAlive } from "../../src/lib/embedded-postgres/pid-file.ts";
import { postmasterIn } from "./binary.ts";
import { silent, temporaryFolder } from "./postgres.ts";
import { until } from "./receiver.ts";

export type Cluster = {
  /** Good for `DATABASE_URL`, also of another process, and the same after every start. */
  url: string;
  /** The server's Unix socket. */
  socketPath: string;
  /** The test's own connections, made anew after a start. */
  readonly sql: postgres.Sql;
  /** Stops the server in order; clients are told. */
  stop(): Promise<void>;
  /** kill -9 of the postmaster: clients are told nothing. */
  kill(): Promise<void>;
  /** kill -9 of one backend of these, if there is one: PostgreSQL ends them all, recovers, and takes connections again. */
  killBackend(applicationName: string): Promise<void>;
  /** Brings the server back. */
  start(): Promise<void>;
  /** Cuts the connections of these by the server. @returns how many it were */
  cut(applicationName: string): Promise<number>;
};

/** Durable: what was committed must outlive a kill. */
export async function startCluster(): Promise<Cluster> {
  const dataDir = temporaryFolder();
  let server: EmbeddedPostgres | null = null;
  let sql: postgres.Sql | null = null;

  const boot = async (): Promise<EmbeddedPostgres> => {
    const booted = await startEmbeddedPostgres({ dataDir, owner: "share", log: silent, durable: true });
    server = booted;
    open(booted);
    return booted;
  };
  const open = (booted: EmbeddedPostgres): void => {
    sql = connect(socketUrl(booted), { max: 1, prepare: false, applicationName: "posthorn test" });
  };
  const giveUp = async (): Promise<void> => {
    await sql?.end({ timeout: 0 });
    await server?.stop();
    server = null;
  };
  const opened = (): postgres.Sql => {
    if (sql === null) throw new Error("the server was never started");
    return sql;
  };

  const first = await boot();
  return {
    url: socketUrl(first),
    socketPath: `${first.socketDir}/.s.PGSQL.${first.port}`,
    get sql() {
      return opened();
    },
    stop: giveUp,
    async kill() {
      const pid = postmasterIn(dataDir);
      if (pid === null) throw new Error("no server runs");
      process.kill(pid, "SIGKILL");
      await until(() => !isAlive(pid));
      await giveUp();
    },
    async killBackend(applicationName) {
      const [row] = await opened()<{ pid: number }[]>`
        select pid from pg_stat_activity where application_name = ${applicationName}
        order by state = 'active' desc, random() limit 1`;
      if (row === undefined) return;
      const own = async () => (await opened()<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid;
      const before = await own();
      process.kill(row.pid, "SIGKILL");
      // A question that was asked while the server went away may never be answered, nor any after it.
      const changed = async (): Promise<boolean> => {
        try {
          return (await withDeadline(own(), 2_000)) !== before;
        } catch (error) {
          if (error instanceof DeadlineError && server !== null) open(server);
          return false;
        }
      };
      await until(changed, 20_000);
    },
    async start() {
      if (server === null) await boot();
    },
    async cut(applicationName) {
      const rows = await opened()`
        select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${applicationName}`;
      return rows.length;
    },
  };
}
