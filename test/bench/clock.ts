import { dlopen, FFIType } from "bun:ffi";

// Bun's hrtime and performance.now() count from each process's own start: only the system's clock is one for all.
const { symbols } = dlopen("libc.so.6", {
  clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
});
const monotonic = 1;
const timespec = new BigInt64Array(2);

/** Milliseconds, with their fractions, since the machine's start: the same in every process. */
export function nowMs(): number {
  symbols.clock_gettime(monotonic, timespec);
  return Number(timespec[0]) * 1_000 + Number(timespec[1]) / 1e6;
}

/** Starts to count this process's processor time. @returns its share of a core since then, read when called */
export function cpuShare(): () => number {
  const [cpu, startedAt] = [process.cpuUsage(), nowMs()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / 1_000 / (nowMs() - startedAt);
  };
}
