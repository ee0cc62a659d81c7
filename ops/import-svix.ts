import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { isId } from "../src/lib/ids.ts";
import { type Job, jobArgs } from "../src/lib/operator/job.ts";
import { createRateLimiter, perSecondValue } from "../src/lib/operator/rate.ts";
import type { Counts } from "../src/lib/operator/report.ts";
import { createSealer } from "../src/lib/sealed.ts";
import { runOperation } from "../src/operation.ts";
import {
  announceImport,
  type Imported,
  importApplication,
  importEventTypes,
  type SvixImport,
} from "../src/services/svix-import.ts";
import { createSvixSource, type SvixObject } from "../src/services/svix-source.ts";
import { defaultOrgId } from "../src/services/tokens.ts";

export default extendCommand(
  defineCommand({
    meta: {
      name: "import-svix",
      description:
        "Take over event types, applications and endpoints from a server that speaks the Svix API, with their ids, uids and secrets. What is here already stays as it is, so that it can be run any number of times.",
    },
    args: {
      from: { type: "string", description: "The server.", valueHint: "https://…", required: true },
      token: {
        type: "string",
        description:
          "An org token of that server; - reads it from standard input, where no process list shows it.",
        required: true,
      },
      org: {
        type: "string",
        description: "The org here: your tenant.",
        default: defaultOrgId,
        valueHint: "org_…",
      },
      rate: { type: "string", description: "Requests a second at most." },
      ...jobArgs,
    },
    async run({ args }) {
      const url = URL.parse(args.from);
      if (url === null || !/^https?:$/.test(url.protocol)) {
        throw new UsageError(`--from is an http or https URL; got ${JSON.stringify(args.from)}.`);
      }
      if (!isId("org_", args.org)) {
        throw new UsageError(`--org is org_ and 27 letters and digits; got ${JSON.stringify(args.org)}.`);
      }
      const perSecond = perSecondValue(args.rate);
      const token = args.token === "-" ? (await Bun.stdin.text()).trim() : args.token;
      return runOperation("import-svix", args, async ({ job, config, log, system, contextOf }) => {
        const ctx = {
          ...contextOf(args.org),
          sealer: createSealer(config.encryptionKeys),
          settings: { endpointHttpsOnly: config.endpointHttpsOnly },
          // Whoever listens to operational events knows these endpoints already.
          events: { emit: () => {} },
          log,
          // Those who accept messages hear of new event types by themselves.
          payloadSchemas: { refresh: async () => {} },
        };
        const { signal } = job;
        const limiter = createRateLimiter({ perSecond, signal });
        const source = createSvixSource({ url, token, signal, pace: () => limiter.take(1) });
        if (!job.dryRun) await announceImport({ ctx, from: url.origin }, system);
        return importAll(job, { ctx, source, dryRun: job.dryRun });
      });
    },
  }),
  {
    sections: () => [
      {
        title: "WHAT COMES ALONG",
        body: [
          "  Event types with their schemas. Applications with uid, name, rate and metadata. Endpoints with uid, URL,",
          "  description, event types, channels, rate, metadata, headers, whether they are disabled, and the secret,",
          "  so that receivers go on verifying. Messages and attempts stay where they are. What the API doesn't give:",
          "  the values of headers that hold credentials (each such endpoint is named), and replaced secrets that",
          "  still sign for a while. An endpoint that signs with an Ed25519 key can't be taken over.",
        ].join("\n"),
      },
      {
        title: "MOVING",
        body: [
          "  1. app ops import-svix --from https://… --token - --dry-run < token",
          "  2. The same without --dry-run.",
          "  3. Point your backend at Posthorn: same ids, same uids, a token from app ops token or app ops keys.",
          "  4. Once more, for what was added meanwhile. Changes and deletions don't come along then.",
        ].join("\n"),
      },
    ],
  },
);

const countNames = {
  "event-type": "eventTypes",
  application: "applications",
  endpoint: "endpoints",
} as const;

async function importAll(job: Job, run: SvixImport): Promise<Counts> {
  const counts = {
    eventTypes: 0,
    applications: 0,
    endpoints: 0,
    kept: 0,
    skipped: 0,
    incomplete: 0,
    failed: 0,
  };
  const note = ({ kind, id, outcome, reason }: Imported) => {
    if (outcome === "added" || outcome === "incomplete") counts[countNames[kind]] += 1;
    if (outcome !== "added") counts[outcome] += 1;
    if (reason !== null) job.report.event(outcome, { kind, id, reason });
  };
  try {
    for await (const imported of importEventTypes(run)) {
      note(imported);
      job.signal.throwIfAborted();
    }
    const applications: SvixObject[] = await Array.fromAsync(run.source.list("/app", { order: "ascending" }));
    for (const [at, application] of applications.entries()) {
      job.report.progress(at, applications.length);
      for await (const imported of importApplication(run, application)) {
        note(imported);
        job.signal.throwIfAborted();
      }
    }
    job.report.progress(applications.length, applications.length);
  } catch (error) {
    if (!job.signal.aborted) throw error;
  }
  return counts;
}
