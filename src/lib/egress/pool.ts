import type { Connection } from "./connection.ts";

/** Servers commonly close idle connections after 5 to 75 s; one kept longer than theirs costs a retry. */
const IDLE_MS_MAX = 15_000;
const SWEEP_MS = 5_000;
const IDLE_PER_ORIGIN_MAX = 256;
const IDLE_MAX = 2_048;

/** Idle keep-alive connections, by origin: two hosts never share one, though they may share an address. */
export class Pool {
  readonly #idle = new Map<string, Connection[]>();
  #count = 0;
  #sweeper: ReturnType<typeof setInterval> | null = null;

  /** The connection used last, if its address is still one of `addresses`. */
  take(origin: string, addresses: readonly string[]): Connection | null {
    const connections = this.#idle.get(origin);
    if (connections === undefined) return null;
    for (;;) {
      const connection = connections.pop();
      if (connection === undefined) {
        this.#idle.delete(origin);
        return null;
      }
      this.#count--;
      connection.onIdleEnd = null;
      if (connection.usable && addresses.includes(connection.address)) return connection;
      connection.destroy();
    }
  }

  give(connection: Connection, nowMs: number): void {
    let connections = this.#idle.get(connection.origin);
    if (connections === undefined) {
      connections = [];
      this.#idle.set(connection.origin, connections);
    }
    if (connections.length >= IDLE_PER_ORIGIN_MAX) {
      connection.destroy();
      return;
    }
    if (this.#count >= IDLE_MAX) this.#evict();
    connection.idleSince = nowMs;
    connection.onIdleEnd = this.#forget;
    connections.push(connection);
    this.#count++;
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  close(): void {
    for (const connections of this.#idle.values())
      for (const connection of connections.splice(0)) connection.destroy();
    this.#idle.clear();
    this.#count = 0;
    this.#stopSweeping();
  }

  readonly #forget = (connection: Connection): void => {
    const connections = this.#idle.get(connection.origin);
    const index = connections?.indexOf(connection) ?? -1;
    if (connections === undefined || index < 0) return;
    connections.splice(index, 1);
    this.#count--;
    if (connections.length === 0) this.#idle.delete(connection.origin);
  };

  /** The longest unused one of the origin that is first in the map. */
  #evict(): void {
    for (const connections of this.#idle.values()) {
      const oldest = connections[0];
      if (oldest === undefined) continue;
      this.#forget(oldest);
      oldest.onIdleEnd = null;
      oldest.destroy();
      return;
    }
  }

  #sweep(): void {
    const before = performance.now() - IDLE_MS_MAX;
    for (const [origin, connections] of this.#idle) {
      const kept = connections.findIndex(({ idleSince }) => idleSince > before);
      const expired = connections.splice(0, kept < 0 ? connections.length : kept);
      this.#count -= expired.length;
      for (const connection of expired) {
        connection.onIdleEnd = null;
        connection.destroy();
      }
      if (connections.length === 0) this.#idle.delete(origin);
    }
    if (this.#count === 0) this.#stopSweeping();
  }

  #stopSweeping(): void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
  }
}
