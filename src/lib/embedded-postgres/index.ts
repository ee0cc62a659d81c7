/**
 * PostgreSQL inside the program: the real server, as a child process, on a Unix socket, with its data under
 * `DATA_DIR`. Several processes share one server; session.ts says how they agree.
 */
import type { Logger } from "../log.ts";
import { prepareHome } from "./home.ts";
import { claimServe, enter, reenter } from "./session.ts";
import { DATABASE, SOCKET_PORT, SUPERUSER } from "./settings.ts";
import { supervise } from "./supervisor.ts";

export { hasCluster } from "./home.ts";
export { postgresOptions, socketUrl } from "./socket-url.ts";

export type EmbeddedPostgresOptions = {
  /** Made if it isn't there. */
  dataDir: string;
  log: Logger;
  /** `serve`: the only one of its kind, and brings the server back when it dies. `share`: beside it, or alone. */
  owner: "serve" | "share";
  /** False for a throwaway cluster: no fsync. @default true */
  durable?: boolean;
};

export type EmbeddedPostgres = {
  socketDir: string;
  /** Names the socket, `<socketDir>/.s.PGSQL.<port>`; no TCP port is open. */
  port: number;
  user: string;
  database: string;
  /** Whether this process started the server, or joined one that ran. */
  startedHere: boolean;
  /** Gives the server up. It stops when this was the last process to use it, whoever started it. Safe to call twice. */
  stop(): Promise<void>;
};

/**
 * Starts PostgreSQL on `dataDir`, or joins the one that runs there, and returns when it takes connections.
 * @throws when another `serve` runs on `dataDir`, or this platform has no binaries, or the server doesn't start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true } = options;
  const home = prepareHome(options.dataDir, log);
  const claim = options.owner === "serve" ? claimServe(home) : null;
  try {
    const member = await enter(home, durable, log);
    const supervisor = claim && supervise(member.postmaster, () => reenter(home, durable, log), log);
    process.once("exit", member.abandon);
    let stopping: Promise<void> | null = null;
    async function stop(): Promise<void> {
      try {
        await supervisor?.stop();
        await member.leave();
        process.off("exit", member.abandon);
      } finally {
        claim?.release();
      }
    }
    return {
      socketDir: member.postmaster.socketDir,
      port: SOCKET_PORT,
      user: SUPERUSER,
      database: DATABASE,
      startedHere: member.startedHere,
      stop() {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    claim?.release();
    throw error;
  }
}
