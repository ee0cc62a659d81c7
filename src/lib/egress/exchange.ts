import type { Socket } from "node:net";
import { Connection, type Owner } from "./connection.ts";
import type { Dial } from "./dial.ts";
import { codeOf, failureOf } from "./failures.ts";
import type { Pool } from "./pool.ts";
import { requestHead } from "./request-head.ts";
import type { Addresses, Resolution } from "./resolver.ts";
import { type Progress, ResponseReader } from "./response-reader.ts";
import type { Target } from "./target.ts";
import type { EgressOutcome, EgressRequest, Failure } from "./types.ts";

/** What all exchanges of one Egress share. */
export type Shared = {
  targetOf(url: string): Target | Failure;
  addressesOf(target: Target): Resolution | undefined;
  addresses: Addresses;
  dial: Dial;
  pool: Pool;
  running: Set<Exchange>;
};

/** An address that does not answer holds up the next one no longer than this. */
const CONNECT_MS_MAX = 3_000;
/** Below this, head and body are sent as one piece: copying costs less than a second write. */
const JOINED_BODY_BYTES_MAX = 64 * 1024;

const ABORTED: Failure = { reason: "aborted", message: "aborted" };

/** One POST from its first look at the URL to its outcome, which is given to `done` exactly once. */
export class Exchange implements Owner {
  readonly #shared: Shared;
  readonly #request: EgressRequest;
  readonly #done: (outcome: EgressOutcome) => void;
  readonly #startedMs = performance.now();
  #finished = false;
  #phase = "resolving the name";
  #timer: ReturnType<typeof setTimeout> | null = null;
  #addressTimer: ReturnType<typeof setTimeout> | null = null;
  #cancelDial: (() => void) | null = null;
  #target: Target | null = null;
  #head = "";
  #resolved: readonly string[] = [];
  #connection: Connection | null = null;
  #reader: ResponseReader;

  constructor(shared: Shared, request: EgressRequest, done: (outcome: EgressOutcome) => void) {
    this.#shared = shared;
    this.#request = request;
    this.#done = done;
    this.#reader = new ResponseReader(request.responseBytesMax);
  }

  start(): void {
    const { url, headers, body, timeoutMs } = this.#request;
    this.#shared.running.add(this);
    const target = this.#shared.targetOf(url);
    if ("reason" in target) {
      this.#fail(target);
      return;
    }
    const head = requestHead(
      target,
      headers,
      typeof body === "string" ? Buffer.byteLength(body) : body.length,
    );
    if (typeof head !== "string") {
      this.#fail(head);
      return;
    }
    this.#target = target;
    this.#head = head;
    this.#timer = setTimeout(this.#onTimeout, timeoutMs);
    const known = this.#shared.addressesOf(target);
    if (known !== undefined) this.#onResolved(known);
    else void this.#shared.addresses.find(target.host).then(this.#onResolved);
  }

  abort(): void {
    this.#fail(ABORTED);
  }

  readonly #onTimeout = (): void =>
    this.#fail({
      reason: "timeout",
      message: `timed out after ${this.#request.timeoutMs} ms while ${this.#phase}`,
    });

  readonly #onResolved = (resolution: Resolution): void => {
    if (this.#finished) return;
    if ("reason" in resolution) {
      this.#fail(resolution);
      return;
    }
    this.#resolved = resolution;
    const pooled = this.#shared.pool.take((this.#target as Target).origin, resolution);
    if (pooled === null) this.#dial(0);
    else this.#send(pooled);
  };

  /** Tries one address; a connect failure moves on to the next, a bad certificate does not. */
  #dial(index: number): void {
    this.#phase = "connecting";
    const target = this.#target as Target;
    const address = this.#resolved[index] as string;
    const othersLeft = this.#resolved.length - index - 1;
    const onDialled = (result: Socket | Failure): void => {
      this.#stopDialling();
      if ("reason" in result) {
        if (result.reason === "connect" && othersLeft > 0) {
          this.#dial(index + 1);
          return;
        }
        this.#fail(result);
        return;
      }
      this.#send(new Connection(result, target.origin, address));
    };
    if (othersLeft > 0) {
      const remainingMs = this.#request.timeoutMs - (performance.now() - this.#startedMs);
      this.#addressTimer = setTimeout(
        () => {
          this.#cancelDial?.();
          onDialled(failureOf("ETIMEDOUT", "connect"));
        },
        Math.min(CONNECT_MS_MAX, remainingMs / (othersLeft + 1)),
      );
    }
    this.#cancelDial = this.#shared.dial(target, address, onDialled);
  }

  #stopDialling(): void {
    this.#cancelDial = null;
    if (this.#addressTimer !== null) clearTimeout(this.#addressTimer);
    this.#addressTimer = null;
  }

  #send(connection: Connection): void {
    this.#phase = "waiting for the response";
    this.#connection = connection;
    connection.owner = this;
    const { body } = this.#request;
    const { socket } = connection;
    if (typeof body === "string") {
      // Latin-1 is what is written fastest, and the same bytes as UTF-8 where all is ASCII.
      const text = this.#head + body;
      socket.write(text, Buffer.byteLength(text) === text.length ? "latin1" : "utf8");
    } else if (body.length <= JOINED_BODY_BYTES_MAX) {
      socket.write(Buffer.concat([Buffer.from(this.#head, "utf8"), body]));
    } else {
      socket.write(this.#head, "utf8");
      socket.write(body);
    }
  }

  onData(data: Buffer): void {
    this.#phase = "reading the response";
    this.#onProgress(this.#reader.push(data));
  }

  onEnd(error: Error | null): void {
    const connection = this.#connection as Connection;
    if (connection.reused && !this.#reader.started) {
      // A server may close an idle connection at any time; it has then not seen this request.
      this.#connection = null;
      connection.destroy();
      this.#dial(0);
      return;
    }
    if (error === null) this.#onProgress(this.#reader.end());
    else this.#fail(failureOf(codeOf(error), "exchange"));
  }

  #onProgress(progress: Progress): void {
    if (progress === "more") return;
    if ("reason" in progress) {
      this.#fail(progress);
      return;
    }
    const { head, body } = this.#reader;
    if (head === null) return;
    const connection = this.#connection as Connection;
    if (head.reusable && !body.truncated && progress.left === 0 && connection.usable) {
      this.#connection = null;
      connection.owner = null;
      connection.reused = true;
      this.#shared.pool.give(connection, performance.now());
    }
    this.#finish({
      kind: "response",
      status: head.status,
      headers: head.headers,
      body: body.take(),
      truncated: body.truncated,
      durationMs: this.#durationMs(),
    });
  }

  #durationMs(): number {
    return Math.round(performance.now() - this.#startedMs);
  }

  #fail(failure: Failure): void {
    this.#finish({ kind: "failure", ...failure, durationMs: this.#durationMs() });
  }

  #finish(outcome: EgressOutcome): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#shared.running.delete(this);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#cancelDial?.();
    this.#stopDialling();
    this.#connection?.destroy();
    this.#connection = null;
    this.#done(outcome);
  }
}
