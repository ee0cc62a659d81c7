import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { intValue } from "../src/lib/cli-values.ts";
import { jobArgs } from "../src/lib/operator/job.ts";
import { createRateLimiter, perSecondValue } from "../src/lib/operator/rate.ts";
import { bytesText } from "../src/lib/operator/table.ts";
import { runOperation } from "../src/operation.ts";
import { announcePurge, type PurgePlan, planPurge, purge } from "../src/services/purge.ts";

const daysMax = 36_500;

export default extendCommand(
  defineCommand({
    meta: {
      name: "purge",
      description:
        "Delete what is past its retention, now: weeks of messages and attempts, and payloads. Interrupted, the same command goes on.",
    },
    args: {
      history: {
        type: "string",
        description: "Drop messages and attempts older than so many days. (Default: ATTEMPT_RETENTION_DAYS)",
        valueHint: "days",
      },
      payloads: {
        type: "string",
        description:
          "Expunge payloads older than so many days, also those that were to be kept for longer. (Default: each when its own time is over)",
        valueHint: "days",
      },
      rate: { type: "string", description: "Rows a second at most." },
      ...jobArgs,
    },
    run({ args }) {
      const days = (flag: "history" | "payloads") =>
        args[flag] === undefined ? null : intValue(flag, args[flag], { min: 1, max: daysMax });
      const [history, payloadDays] = [days("history"), days("payloads")];
      const perSecond = perSecondValue(args.rate);
      return runOperation("purge", args, async ({ job, config, system }) => {
        const request = {
          now: new Date(),
          historyDays: history ?? config.attemptRetentionDays,
          payloadDays,
        };
        const plan = await planPurge(system, request);
        const counts = {
          partitions: plan.partitions.length,
          eventIds: plan.eventIds,
          payloads: plan.payloads,
        };
        for (const partition of plan.partitions) job.report.event("partition", partition);
        if (job.dryRun) return counts;
        if (plan.partitions.length + plan.eventIds + plan.payloads === 0) return counts;
        await job.confirm(summaryOf(plan));
        await announcePurge(system, request);
        const limiter = createRateLimiter({ perSecond, signal: job.signal });
        let done = 0;
        return purge(system, request, {
          signal: job.signal,
          pace: async (rows) => {
            done += rows;
            job.report.progress(done, Math.max(done, plan.eventIds + plan.payloads));
            await limiter.take(rows).catch(() => {});
          },
          dropped: (partition) => job.report.event("dropped", { partition }),
        });
      });
    },
  }),
  {
    sections: () => [
      {
        title: "WHEN TO RUN IT",
        body: [
          "  Workers do this by themselves, every few minutes. Run it after a retention was lowered: payloads keep",
          "  the time that they were accepted with, and --payloads goes before that. Weeks are dropped as a whole,",
          "  once all of them is old enough. What is to be sent later (deliverAt) keeps its payload.",
        ].join("\n"),
      },
    ],
  },
);

function summaryOf({ partitions, eventIds, payloads }: PurgePlan): string {
  const bytes = partitions.reduce((sum, partition) => sum + partition.bytes, 0);
  const names = partitions.map(({ name }) => name).join(", ");
  const dropped = partitions.length === 0 ? "no partition" : `${names} (${bytesText(bytes)})`;
  return `Delete for good: ${dropped}; ${payloads} payloads; ${eventIds} eventIds.`;
}
