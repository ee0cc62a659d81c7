import { createInterface } from "node:readline/promises";
import { InterruptedError, UsageError } from "../cli-errors.ts";
import { printable } from "./printable.ts";
import type { ReportOutput } from "./report.ts";

export interface ConfirmOptions {
  /** Go on without asking. */
  yes: boolean;
  signal: AbortSignal;
  output: Pick<ReportOutput, "terminal" | "err">;
  /** Asks a question and gives the answer; the terminal by default. */
  ask?: (question: string, signal: AbortSignal) => Promise<string>;
}

/**
 * Shows what will be done and asks whether to go on.
 * @throws InterruptedError when the answer isn't yes; UsageError when there is nobody to ask.
 */
export async function confirm(summary: string, options: ConfirmOptions): Promise<void> {
  const { yes, signal, output, ask = askTerminal } = options;
  if (output.terminal) output.err(`${printable(summary)}\n`);
  if (yes) return;
  if (!output.terminal)
    throw new UsageError(`${summary} There is no terminal to ask on: pass --yes to go on.`);
  const answer = await ask("Go on? [y/N] ", signal);
  if (!/^y(es)?$/i.test(answer.trim())) throw new InterruptedError("Stopped; nothing was done.");
}

async function askTerminal(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal });
  } catch (error) {
    if (signal.aborted) throw new InterruptedError("Stopped; nothing was done.");
    throw error;
  } finally {
    lines.close();
  }
}
