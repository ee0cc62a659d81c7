import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { type Job, jobArgs } from "../src/lib/operator/job.ts";
import { createRateLimiter, perSecondValue } from "../src/lib/operator/rate.ts";
import type { Counts } from "../src/lib/operator/report.ts";
import { createSealer, type Sealer } from "../src/lib/sealed.ts";
import { runOperation } from "../src/operation.ts";
import type { OperatorContext } from "../src/services/context.ts";
import { announceRotation, countSecrets, rotateSecrets } from "../src/services/secret-rotation.ts";

const batchSizeMax = 500;
/** Beyond them the count says enough. */
const unreadableShownMax = 20;

export default extendCommand(
  defineCommand({
    meta: {
      name: "rotate-secret",
      description:
        "Encrypt every stored endpoint secret with the first key of ENCRYPTION_KEY: after a new key came, or a first one. Endpoints notice nothing. Interrupted, the same command goes on.",
    },
    args: { rate: { type: "string", description: "Secrets a second at most." }, ...jobArgs },
    run: ({ args }) => {
      const perSecond = perSecondValue(args.rate);
      return runOperation("rotate-secret", args, async ({ job, config, system }) => {
        const sealer = createSealer(config.encryptionKeys);
        if (sealer.keyId === null) {
          throw new UsageError("ENCRYPTION_KEY is not set: there is no key to encrypt with.");
        }
        const total = await countSecrets(system);
        await job.confirm(
          `Encrypt up to ${total} secrets with the key ${sealer.keyId}. Every serve and worker must have it in its ENCRYPTION_KEY by now: one that has not can't sign any more.`,
        );
        if (!job.dryRun) await announceRotation(system, sealer.keyId);
        return rotate(job, system, sealer, { total, perSecond });
      });
    },
  }),
  {
    sections: () => [
      {
        title: "TO CHANGE THE KEY WHILE ALL RUNS",
        body: [
          "  1. ENCRYPTION_KEY=<old>,<new> on every serve and worker: now all can read both.",
          "  2. ENCRYPTION_KEY=<new>,<old> on every serve and worker: now all write the new one.",
          "  3. app ops rotate-secret, with that ENCRYPTION_KEY, until a dry run says: encrypted 0.",
          "  4. 12 hours after step 2, ENCRYPTION_KEY=<new>: until then, answers that are kept for",
          "     an Idempotency-Key may need the old one.",
          "",
          "  For a first key: set it on every serve and worker, then step 3.",
        ].join("\n"),
      },
    ],
  },
);

async function rotate(
  job: Job,
  ctx: OperatorContext,
  sealer: Sealer,
  { total, perSecond }: { total: number; perSecond: number },
): Promise<Counts> {
  const limiter = createRateLimiter({ perSecond, signal: job.signal });
  const counts = { key: sealer.keyId, scanned: 0, encrypted: 0, failed: 0 };
  const batchSize = Math.min(batchSizeMax, perSecond);
  for (let cursor: number | null = 0; cursor !== null && !job.signal.aborted; ) {
    const step = await rotateSecrets(ctx, sealer, { cursor, batchSize, dryRun: job.dryRun });
    cursor = step.cursor;
    const shown = Math.max(0, unreadableShownMax - counts.failed);
    for (const one of step.unreadable.slice(0, shown)) job.report.event("unreadable", one);
    counts.scanned += step.scanned;
    counts.encrypted += step.sealed;
    counts.failed += step.unreadable.length;
    job.report.progress(counts.scanned, total);
    if (cursor !== null && step.sealed > 0) await limiter.take(step.sealed).catch(() => {});
  }
  return counts;
}
