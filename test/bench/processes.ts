/** What processes take, out of Linux' /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** `USER_HZ`, the same on every Linux that Bun runs on. */
const ticksPerSecond = 100;

const statOf = (pid: number): string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before the last parenthesis may hold anything.
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
};

/** Milliseconds of processor time that a process has taken so far, in steps of 10. */
export function cpuMs(pid: number): number {
  const stat = statOf(pid);
  return ((Number(stat[11]) + Number(stat[12])) / ticksPerSecond) * 1_000;
}

/** The same with its children, those that have ended too. */
export function treeCpuMs(pid: number): number {
  const stat = statOf(pid);
  const ended = ((Number(stat[13]) + Number(stat[14])) / ticksPerSecond) * 1_000;
  let sum = cpuMs(pid) + ended;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Number(statOf(Number(name))[1]) === pid) sum += cpuMs(Number(name));
    } catch {
      // It has ended since it was listed.
    }
  }
  return sum;
}

/** Resident memory in MB (10^6 bytes). */
export function rssMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) * 1_024) / 1e6;
}

/** Reads a process's memory five times a second. @returns what was read, when stopped */
export function sampleRss(pid: number): () => number[] {
  const samples: number[] = [rssMb(pid)];
  const timer = setInterval(() => samples.push(rssMb(pid)), 200);
  return () => {
    clearInterval(timer);
    return samples;
  };
}
