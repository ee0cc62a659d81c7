import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { isId } from "../src/lib/ids.ts";
import { type Job, jobArgs } from "../src/lib/operator/job.ts";
import { createRateLimiter, perSecondValue } from "../src/lib/operator/rate.ts";
import type { Counts } from "../src/lib/operator/report.ts";
import { runOperation } from "../src/operation.ts";
import { countHoldings, eraseApplication, findAnyApplication } from "../src/services/application-erasure.ts";

const batchSizeMax = 1_000;

export default extendCommand(
  defineCommand({
    meta: {
      name: "delete-application",
      description:
        "Delete an application and all that it has, for good: endpoints, secrets, messages, attempts, what waits. Interrupted, the same command goes on.",
    },
    args: {
      app: { type: "string", description: "The application.", valueHint: "app_…", required: true },
      rate: { type: "string", description: "Rows a second at most." },
      ...jobArgs,
    },
    run({ args }) {
      const appId = args.app;
      if (!isId("app_", appId)) {
        throw new UsageError(`--app is app_ and 27 letters and digits; got ${JSON.stringify(appId)}.`);
      }
      const perSecond = perSecondValue(args.rate);
      return runOperation("delete-application", args, async ({ job, repos, contextOf }) => {
        const application = await findAnyApplication(repos, appId);
        if (!application) throw new UsageError(`There is no application ${appId}, or no more.`);
        const ctx = contextOf(application.orgId);
        const holdings = await countHoldings(ctx, appId);
        if (job.dryRun) return holdings;
        const { name, uid, orgId } = application;
        const { endpoints, deliveries, attempts, messages } = holdings;
        await job.confirm(
          `Delete ${appId} (${name}${uid === null ? "" : `, uid ${uid}`}) of ${orgId} for good: ${endpoints} endpoints, ${messages} messages, ${attempts} attempts, ${deliveries} deliveries that wait. Nothing brings them back.`,
        );
        const total = endpoints + deliveries + attempts + messages;
        const steps = eraseApplication(ctx, application, Math.min(batchSizeMax, perSecond));
        return erase(job, steps, { total, perSecond });
      });
    },
  }),
  {
    sections: () => [
      {
        title: "WHAT IT DOES",
        body: [
          "  First it deletes the application as the API does: nobody finds it any more, and nothing new comes in.",
          "  Then, batch by batch, all rows go that name it; its own goes last. What the API has deleted before, by",
          "  itself, leaves all that behind until its retention is over: give its id here, and it goes now.",
          "  The id it must be, not the uid: that may be another's by the second run.",
        ].join("\n"),
      },
    ],
  },
);

async function erase(
  job: Job,
  steps: ReturnType<typeof eraseApplication>,
  { total, perSecond }: { total: number; perSecond: number },
): Promise<Counts> {
  const limiter = createRateLimiter({ perSecond, signal: job.signal });
  const counts = { endpoints: 0, deliveries: 0, attempts: 0, messages: 0 };
  let done = 0;
  for await (const step of steps) {
    for (const [what, rows] of Object.entries(step) as [keyof typeof counts, number][]) {
      counts[what] += rows;
      done += rows;
      if (rows > 0) await limiter.take(rows).catch(() => {});
    }
    job.report.progress(done, Math.max(done, total));
    if (job.signal.aborted) break;
  }
  return counts;
}
