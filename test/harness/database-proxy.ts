/** A TCP way to a PostgreSQL that has only a Unix socket, with the faults that networks and poolers have. */
import { createConnection, createServer, type Socket } from "node:net";

/**
 * `refuse`: nobody listens. `hang up`: connections are taken and closed, as by a proxy without a backend.
 * `silence`: nothing ever comes, neither on new connections nor on old ones, as behind a firewall that drops; those
 * connections stay open and silent whatever follows.
 */
export type ProxyMode = "pass" | "refuse" | "hang up" | "silence";

export type DatabaseProxy = {
  port: number;
  /** Cuts what is open, but what is silent. */
  become(mode: ProxyMode): Promise<void>;
  /** Connections that were tried so far. */
  readonly tries: number;
  stop(): Promise<void>;
};

export async function startDatabaseProxy(socketPath: string): Promise<DatabaseProxy> {
  let mode: ProxyMode = "pass";
  let tries = 0;
  const open = new Set<Socket>();
  const silenced = new WeakSet<Socket>();
  const server = createServer((client) => {
    tries += 1;
    open.add(client);
    client.on("close", () => open.delete(client));
    client.on("error", () => {});
    if (mode === "hang up") return void client.destroy();
    if (mode === "silence") return void silenced.add(client);
    const upstream = createConnection(socketPath);
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.on("data", (chunk) => silenced.has(client) || upstream.write(chunk));
    upstream.on("data", (chunk) => silenced.has(client) || client.write(chunk));
  });
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
    });
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));

  const port = await listen(0);
  return {
    port,
    async become(next) {
      const before = mode;
      mode = next;
      for (const socket of open) {
        if (next === "silence") silenced.add(socket);
        else if (!silenced.has(socket)) socket.destroy();
      }
      if (next === "refuse" && before !== "refuse") await close();
      if (next !== "refuse" && before === "refuse") await listen(port);
    },
    get tries() {
      return tries;
    },
    async stop() {
      for (const socket of open) socket.destroy();
      if (mode !== "refuse") await close();
    },
  };
}
