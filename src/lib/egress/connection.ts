import type { Socket } from "node:net";

/** Who is served by a connection at the moment. */
export type Owner = {
  onData(data: Buffer): void;
  /** The other side has closed, or the connection broke. May come more than once. */
  onEnd(error: Error | null): void;
};

/** One open socket to a checked address. What comes while nobody asked makes it unusable. */
export class Connection {
  owner: Owner | null = null;
  /** Called when the connection ends while it has no owner. */
  onIdleEnd: ((connection: Connection) => void) | null = null;
  /** Whether a whole exchange has gone over it. */
  reused = false;
  idleSince = 0;
  readonly socket: Socket;
  readonly origin: string;
  readonly address: string;

  constructor(socket: Socket, origin: string, address: string) {
    this.socket = socket;
    this.origin = origin;
    this.address = address;
    socket.on("data", (data: Buffer) => {
      if (this.owner === null) this.#end(null);
      else this.owner.onData(data);
    });
    socket.on("end", () => this.#end(null));
    socket.on("error", (error: Error) => this.#end(error));
    socket.on("close", () => this.#end(null));
  }

  get usable(): boolean {
    return !this.socket.destroyed && this.socket.writable && this.socket.writableLength === 0;
  }

  destroy(): void {
    this.owner = null;
    this.socket.destroy();
  }

  #end(error: Error | null): void {
    if (this.owner !== null) {
      this.owner.onEnd(error);
      return;
    }
    this.socket.destroy();
    this.onIdleEnd?.(this);
  }
}
