import { BodyBuffer } from "./body-buffer.ts";
import { ChunkedReader } from "./chunked-reader.ts";
import { parseResponseHead, type ResponseHead } from "./response-head.ts";
import type { Failure } from "./types.ts";

/** Bytes of status line and headers together; servers send a few hundred. */
export const HEAD_BYTES_MAX = 32 * 1024;
/** Interim (1xx) responses before the real one; a server has reason to send one or two. */
const INTERIM_MAX = 8;
const HEAD_END = Buffer.from("\r\n\r\n");

export type Progress =
  /** The response goes on. */
  | "more"
  /** The response is complete; `left` bytes arrived beyond it. */
  | { done: true; left: number }
  | Failure;

const MORE = "more";
const COMPLETE: Progress = { done: true, left: 0 };

/**
 * Reads one HTTP/1.1 response (RFC 9112) as it arrives, in memory bounded by `HEAD_BYTES_MAX` and the body's cap.
 * After `truncated` it wants no more bytes: the connection has to be cut.
 */
export class ResponseReader {
  head: ResponseHead | null = null;
  /** Whether any byte has come. */
  started = false;
  readonly body: BodyBuffer;

  #partialHead: Buffer | null = null;
  #partialLength = 0;
  #interim = 0;
  #bodyLeft = 0;
  #chunks: ChunkedReader | null = null;

  constructor(bodyBytesMax: number) {
    this.body = new BodyBuffer(bodyBytesMax);
  }

  push(data: Buffer): Progress {
    this.started = true;
    let rest: Buffer = data;
    while (this.head === null) {
      const after = this.#readHead(rest);
      if (after === null) return MORE;
      if (!(after instanceof Uint8Array)) return after;
      rest = after;
    }
    return this.#readBody(rest);
  }

  /** The sender has closed its side. */
  end(): Progress {
    if (this.head?.framing === "close") return COMPLETE;
    return {
      reason: "protocol",
      message: this.started
        ? "the connection was closed in the middle of the response"
        : "the connection was closed without a response",
    };
  }

  /** @returns what follows the head, null while the head is incomplete. */
  #readHead(data: Buffer): Buffer | Failure | null {
    const whole = this.#joined(data);
    const end = whole.indexOf(HEAD_END, Math.max(0, whole.length - data.length - 3));
    const soFar = whole.toString("latin1", 0, Math.min(7, whole.length));
    if (!"HTTP/1.".startsWith(soFar))
      return { reason: "protocol", message: "the answer is not an HTTP/1.1 response" };
    if (end > HEAD_BYTES_MAX || (end < 0 && whole.length > HEAD_BYTES_MAX))
      return { reason: "protocol", message: `the response's headers exceed ${HEAD_BYTES_MAX / 1024} KiB` };
    if (end < 0) return this.#keep(whole, data);
    this.#partialHead = null;
    this.#partialLength = 0;
    const head = parseResponseHead(whole.toString("latin1", 0, end));
    if ("reason" in head) return head;
    if (head.status < 200) {
      if (head.status === 101)
        return { reason: "protocol", message: "the receiver switched protocols unasked" };
      if (++this.#interim > INTERIM_MAX)
        return { reason: "protocol", message: `more than ${INTERIM_MAX} interim (1xx) responses` };
      return whole.length > end + 4 ? whole.subarray(end + 4) : null;
    }
    this.head = head;
    if (head.framing === "chunked") this.#chunks = new ChunkedReader(this.body);
    else this.#bodyLeft = head.framing === "close" ? Number.POSITIVE_INFINITY : head.framing;
    return whole.subarray(end + 4);
  }

  #joined(data: Buffer): Buffer {
    if (this.#partialHead === null) return data;
    const total = this.#partialLength + data.length;
    if (total > this.#partialHead.length)
      return Buffer.concat([this.#partialHead.subarray(0, this.#partialLength), data]);
    data.copy(this.#partialHead, this.#partialLength);
    return this.#partialHead.subarray(0, total);
  }

  /** One buffer of the full size, so that a head that comes byte by byte is not copied each time. */
  #keep(whole: Buffer, data: Buffer): null {
    if (this.#partialHead === null) {
      this.#partialHead = Buffer.allocUnsafeSlow(HEAD_BYTES_MAX + 4);
      this.#partialHead.set(whole);
    } else if (whole.buffer !== this.#partialHead.buffer) {
      data.copy(this.#partialHead, this.#partialLength);
    }
    this.#partialLength = whole.length;
    return null;
  }

  #readBody(data: Buffer): Progress {
    if (this.#chunks !== null) return this.#chunks.push(data);
    const taken = data.length > this.#bodyLeft ? data.subarray(0, this.#bodyLeft) : data;
    this.#bodyLeft -= taken.length;
    this.body.add(taken);
    if (this.body.truncated) return COMPLETE;
    if (this.#bodyLeft > 0) {
      // A length beyond the cap is known to be cut, even if its sender stops right at the cap.
      if (this.#bodyLeft !== Number.POSITIVE_INFINITY && this.body.full) this.body.truncated = true;
      return this.body.truncated ? COMPLETE : MORE;
    }
    return data.length === taken.length ? COMPLETE : { done: true, left: data.length - taken.length };
  }
}
