import { ConfigError } from "../config.ts";

/** What of Bun's server is needed to stop it. */
type Server = { stop(closeActiveConnections?: boolean): Promise<void>; pendingRequests: number };

const pollMs = 20;

/** Takes no new connections, lets the requests under way end, and at the deadline cuts what is left. */
export async function stopServer(server: Server | null, deadline: AbortSignal): Promise<void> {
  if (server === null) return;
  const stopped = server.stop();
  // Idle keep-alive connections hold `stop` up, so that its own promise says nothing about requests.
  while (server.pendingRequests > 0 && !deadline.aborted) await Bun.sleep(pollMs);
  await server.stop(true);
  await stopped;
}

/** Of files, and of memory for sockets. */
const noRoom = new Set(["EMFILE", "ENFILE", "ENOBUFS"]);

/**
 * Listens for a moment where a server will, so that what is wrong is said before anything else is started.
 * @param variable the one that has the port
 * @throws ConfigError for a host that can't be listened on; Error for a port that is taken or takes more rights, and for
 * what is not about the address
 */
export function requireAddress(host: string, variable: "PORT" | "WORKER_PORT", port: number): void {
  try {
    Bun.listen({ hostname: host, port, exclusive: true, socket: { data() {} } }).stop(true);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EADDRINUSE") {
      throw new Error(
        `Port ${port} of ${host} is taken: end what listens there, or set ${variable} to another`,
      );
    }
    if (code === "EACCES") throw new Error(`Port ${port} (${variable}) takes more rights than this user has`);
    if (noRoom.has(code)) throw error;
    const expected = "an address of this machine, or a name of one";
    throw new ConfigError([{ name: "HOST", got: JSON.stringify(host), expected }]);
  }
}
