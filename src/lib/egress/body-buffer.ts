const EMPTY = new Uint8Array(0);

/** Collects a body up to a number of bytes. Holds copies: a slice would keep the socket's whole buffer alive. */
export class BodyBuffer {
  /** True once more was added than fits. */
  truncated = false;
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get full(): boolean {
    return this.#length === this.#max;
  }

  add(data: Uint8Array): void {
    const room = this.#max - this.#length;
    if (data.length > room) this.truncated = true;
    const taken = Math.min(room, data.length);
    if (taken === 0) return;
    const total = this.#length + taken;
    if (total > this.#bytes.length) {
      // Doubling, so that a body that comes byte by byte is copied a bounded number of times.
      const grown = new Uint8Array(
        this.#length === 0 ? total : Math.min(this.#max, Math.max(total, this.#length * 2)),
      );
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(taken === data.length ? data : data.subarray(0, taken), this.#length);
    this.#length = total;
  }

  /** What was collected. */
  take(): Uint8Array {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }
}
