import { writeSync } from "node:fs";

// A line leaves after this long at most, or as soon as 8 KiB wait: a write per line would cost more than the line.
const FLUSH_INTERVAL_MS = 50;
const FLUSH_LENGTH = 8192;
// When nobody reads, lines beyond this are dropped rather than filling the memory.
const WAITING_LENGTH_MAX = 64 * 1024 * 1024;
const FULL_PIPE_RETRY_MS = 10;
const EXIT_DEADLINE_MS = 2000;

/** Where pino puts lines. `flush` and `flushSync` write at once what waits. */
export interface LogOutput {
  write(line: string): void;
  flush(done?: () => void): void;
  flushSync(): void;
}

/**
 * Writes lines to a file descriptor in batches, and what is left when the process exits. The writes are
 * synchronous: an asynchronous one that is under way at the exit is lost or doubled. A reader that is gone
 * silences the output instead of failing the program (sonic-boom's flushSync never returns then).
 */
export function createLogOutput(fd: number): LogOutput {
  let waiting = "";
  let rest: Buffer | undefined;
  let gone = false;
  let timer: Timer | undefined;

  function flushLater(delayMs: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      flush();
    }, delayMs);
    timer.unref();
  }

  /** Writes until nothing waits or the pipe is full. */
  function flush(): void {
    while (!gone && (rest || waiting !== "")) {
      if (!rest) {
        rest = Buffer.from(waiting);
        waiting = "";
      }
      try {
        const written = writeSync(fd, rest);
        rest = written < rest.length ? rest.subarray(written) : undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EAGAIN") {
          flushLater(FULL_PIPE_RETRY_MS);
          return;
        }
        gone = true;
        rest = undefined;
        waiting = "";
      }
    }
  }

  function flushSync(): void {
    const deadline = Date.now() + EXIT_DEADLINE_MS;
    flush();
    while (rest && Date.now() < deadline) {
      Bun.sleepSync(FULL_PIPE_RETRY_MS);
      flush();
    }
  }

  process.on("exit", flushSync);
  return {
    write(line) {
      if (gone || waiting.length > WAITING_LENGTH_MAX) return;
      waiting += line;
      // With a rest, the pipe is full and the timer is set already.
      if (rest) return;
      if (waiting.length >= FLUSH_LENGTH) flush();
      else flushLater(FLUSH_INTERVAL_MS);
    },
    flush(done) {
      flush();
      done?.();
    },
    flushSync,
  };
}
