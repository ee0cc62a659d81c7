import { isatty } from "node:tty";
import { printable } from "./printable.ts";

/** What a script counted, as the summary shows it; `failed` decides the exit code. */
export type Counts = Record<string, string | number | boolean | null>;

/** Where a script's words go. */
export interface ReportOutput {
  /** A bar and sentences, or JSON lines? */
  terminal: boolean;
  out: (text: string) => void;
  err: (text: string) => void;
  nowMs: () => number;
}

/** What a script tells: how far it is, what happened, what it did. */
export interface Report {
  /** Call it as often as you like; what is shown is throttled. */
  progress(done: number, total?: number): void;
  event(name: string, fields: Counts): void;
  summary(counts: Counts): void;
  /** Takes the bar away. */
  close(): void;
}

const BAR_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 1000;
const BAR_WIDTH = 30;
const CLEAR_LINE = "\r\x1b[2K";

/** The process's own output: JSON lines with `--json` or without a terminal. */
export function terminalOutput(json: boolean): ReportOutput {
  return {
    terminal: !json && isatty(1) && isatty(2),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    nowMs: Date.now,
  };
}

/** On a terminal a progress bar on stderr and sentences on stdout; elsewhere JSON lines on stdout. */
export function createReport(output: ReportOutput): Report {
  return output.terminal ? barReport(output) : lineReport(output);
}

function lineReport({ out, nowMs }: ReportOutput): Report {
  const due = throttle(LINE_INTERVAL_MS, nowMs);
  const event = (name: string, fields: Counts) => {
    out(`${JSON.stringify({ time: new Date(nowMs()).toISOString(), event: name, ...fields })}\n`);
  };
  return {
    progress(done, total) {
      if (due() || done === total) event("progress", total === undefined ? { done } : { done, total });
    },
    event,
    summary: (counts) => event("summary", counts),
    close() {},
  };
}

function barReport({ out, err, nowMs }: ReportOutput): Report {
  const startedMs = nowMs();
  const due = throttle(BAR_INTERVAL_MS, nowMs);
  let shown = false;
  const clear = () => {
    if (shown) err(CLEAR_LINE);
    shown = false;
  };
  const sentence = (name: string, fields: Counts) => {
    clear();
    const words = Object.entries(fields).map(([field, value]) => `${field} ${value}`);
    out(`${printable(`${name}: ${words.join(", ")}`)}\n`);
  };
  return {
    progress(done, total) {
      if (!due() && done !== total) return;
      err(CLEAR_LINE + barText(done, total, (nowMs() - startedMs) / 1000));
      shown = true;
    },
    event: sentence,
    summary: (counts) => sentence("Done", counts),
    close: clear,
  };
}

/** `[#####.....]  50 %  500 of 1000  250/s  2 s left`, or without the total what is known. */
export function barText(done: number, total: number | undefined, seconds: number): string {
  const perSecond = seconds > 0 ? done / seconds : 0;
  const rate = `${Math.round(perSecond)}/s`;
  if (!total) return `${done} done  ${rate}`;
  const share = Math.min(done / total, 1);
  const full = Math.round(share * BAR_WIDTH);
  const bar = `[${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}]`;
  const left = perSecond > 0 ? `  ${Math.ceil(Math.max(total - done, 0) / perSecond)} s left` : "";
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${done} of ${total}  ${rate}${left}`;
}

function throttle(intervalMs: number, nowMs: () => number): () => boolean {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (nowMs() - lastMs < intervalMs) return false;
    lastMs = nowMs();
    return true;
  };
}
