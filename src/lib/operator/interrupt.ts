import { EXIT, InterruptedError } from "../cli-errors.ts";

/**
 * A signal that aborts at the first SIGINT or SIGTERM, with an `InterruptedError` as its reason.
 * The second one exits at once with 130. `dispose` gives the signals back.
 */
export function interruptSignal(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new InterruptedError());
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    dispose() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
