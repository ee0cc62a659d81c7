import { EXIT } from "../cli-errors.ts";
import { confirm } from "./confirm.ts";
import { interruptSignal } from "./interrupt.ts";
import { type Counts, createReport, type Report, type ReportOutput, terminalOutput } from "./report.ts";

/** The flags that every operator script that changes data shares; spread them into its `args`. */
export const jobArgs = {
  "dry-run": { type: "boolean", description: "Say what would be done, and do nothing." },
  yes: { type: "boolean", description: "Don't ask for confirmation." },
  json: { type: "boolean", description: "Print JSON lines, as if there were no terminal." },
} as const;

/** `jobArgs` as citty parses them. */
export interface JobFlags {
  "dry-run"?: boolean | undefined;
  yes?: boolean | undefined;
  json?: boolean | undefined;
}

/** What a script works with. */
export interface Job {
  /** Aborts at SIGINT or SIGTERM: finish the batch, return the counts so far. */
  signal: AbortSignal;
  dryRun: boolean;
  report: Report;
  /** Shows what will be done and asks, unless --yes or --dry-run. Throws when the answer is no. */
  confirm(summary: string): Promise<void>;
}

/**
 * Shows how far batches have come, until they end or a signal comes.
 * @param batches the counts so far, after each
 * @param total how much there is to scan
 * @returns the last counts
 */
export async function followBatches(
  job: Job,
  batches: AsyncIterable<{ scanned: number; queued: number }>,
  total: number,
): Promise<Counts> {
  let counts = { scanned: 0, queued: 0 };
  for await (counts of batches) {
    job.report.progress(counts.scanned, total);
    if (job.signal.aborted) break;
  }
  return counts;
}

/**
 * Runs a script's work and ends it with a summary of its counts.
 * @returns the exit code: 0 done, 1 when the count `failed` is above 0, 130 when a signal came.
 */
export async function runJob(
  flags: JobFlags,
  work: (job: Job) => Promise<Counts>,
  output: ReportOutput = terminalOutput(flags.json === true),
): Promise<number> {
  const interrupt = interruptSignal();
  const report = createReport(output);
  const dryRun = flags["dry-run"] === true;
  try {
    const counts = await work({
      signal: interrupt.signal,
      dryRun,
      report,
      confirm: (summary) =>
        confirm(summary, { yes: flags.yes === true || dryRun, signal: interrupt.signal, output }),
    });
    const interrupted = interrupt.signal.aborted;
    report.summary({ ...(dryRun && { dryRun }), ...(interrupted && { interrupted }), ...counts });
    if (interrupted) return EXIT.interrupted;
    return Number(counts.failed ?? 0) > 0 ? EXIT.failed : EXIT.done;
  } finally {
    report.close();
    interrupt.dispose();
  }
}
