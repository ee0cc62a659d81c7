import type { BodyBuffer } from "./body-buffer.ts";
import type { Progress } from "./response-reader.ts";

/** A chunk's size with its extensions. */
const SIZE_LINE_BYTES_MAX = 256;
const TRAILER_BYTES_MAX = 8 * 1024;
const CR = 13;
const LF = 10;

const broken: Progress = { reason: "protocol", message: "the response's chunked body is malformed" };

/** The chunked transfer coding (RFC 9112 section 7.1). Extensions and trailers are read over. */
export class ChunkedReader {
  #state: "size" | "data" | "data-end" | "trailer" = "size";
  #line = "";
  #left = 0;
  #trailerBytes = 0;
  readonly #body: BodyBuffer;

  constructor(body: BodyBuffer) {
    this.#body = body;
  }

  push(data: Buffer): Progress {
    let at = 0;
    while (at < data.length) {
      if (this.#state === "data") {
        const taken = data.subarray(at, at + Math.min(this.#left, data.length - at));
        at += taken.length;
        this.#left -= taken.length;
        this.#body.add(taken);
        if (this.#body.truncated) return { done: true, left: 0 };
        if (this.#left === 0) this.#state = "data-end";
        continue;
      }
      const byte = data[at++] as number;
      if (byte !== LF) {
        const max = this.#state === "trailer" ? TRAILER_BYTES_MAX : SIZE_LINE_BYTES_MAX;
        if (this.#line.length >= max) return broken;
        this.#line += String.fromCharCode(byte);
        continue;
      }
      if (this.#line.charCodeAt(this.#line.length - 1) !== CR) return broken;
      const line = this.#line.slice(0, -1);
      this.#line = "";
      const finished = this.#endOfLine(line);
      if (finished === null) return broken;
      if (finished) return { done: true, left: data.length - at };
    }
    return "more";
  }

  /** @returns whether the body is complete, null when the line is malformed. */
  #endOfLine(line: string): boolean | null {
    switch (this.#state) {
      case "data-end":
        this.#state = "size";
        return line === "" ? false : null;
      case "trailer":
        this.#trailerBytes += line.length + 2;
        if (this.#trailerBytes > TRAILER_BYTES_MAX) return null;
        return line === "";
      case "size": {
        const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/.exec(line);
        if (size === null) return null;
        this.#left = Number.parseInt(size[1] as string, 16);
        this.#state = this.#left === 0 ? "trailer" : "data";
        return false;
      }
      case "data":
        return null;
    }
  }
}
