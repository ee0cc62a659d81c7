import { defineCommand } from "citty";
import { extendCommand } from "../src/lib/cli.ts";
import { UsageError } from "../src/lib/cli-errors.ts";
import { durationSeconds, idValue, listValue } from "../src/lib/cli-values.ts";
import { isId } from "../src/lib/ids.ts";
import { type Job, type JobFlags, jobArgs } from "../src/lib/operator/job.ts";
import type { Counts } from "../src/lib/operator/report.ts";
import { apiKeyScopes } from "../src/models/api-keys.ts";
import { runOperation } from "../src/operation.ts";
import { createApiKey, endApiKey, getApiKey, listApiKeys } from "../src/services/api-keys.ts";
import type { ActorContext } from "../src/services/context.ts";
import { AppError } from "../src/services/errors.ts";
import { defaultOrgId } from "../src/services/tokens.ts";

const years100Seconds = 3_153_600_000;
const pageSize = 250;

const orgArg = {
  org: { type: "string", description: "The org: your tenant.", default: defaultOrgId, valueHint: "org_…" },
} as const;

const create = defineCommand({
  meta: { name: "create", description: "Make an API key and print it. It is shown this once." },
  args: {
    ...orgArg,
    name: { type: "string", description: "What it is for.", required: true },
    scopes: {
      type: "string",
      description: "Out of read, write, admin: repeat it or part them with commas.",
      default: "read,write",
    },
    expires: {
      type: "string",
      description: "How long it is good, like 3600s, 28d or 10y. (Default: until revoked)",
      valueHint: "duration",
    },
    ...jobArgs,
  },
  run: ({ args }) => {
    const names = listValue("scopes", args.scopes);
    const scopes = apiKeyScopes.filter((scope) => names.includes(scope));
    const unknown = names.find((name) => !apiKeyScopes.some((scope) => scope === name));
    if (unknown !== undefined) {
      throw new UsageError(`--scopes are read, write and admin; got ${JSON.stringify(unknown)}.`);
    }
    const { name } = args;
    if (name === "" || name.length > 256) throw new UsageError("--name has 1 to 256 characters.");
    const expiry =
      args.expires === undefined
        ? null
        : Math.floor(durationSeconds("expires", args.expires, { min: 1, max: years100Seconds }));
    return withKeys(args, args.org, async (ctx, { dryRun, report }) => {
      if (dryRun) return { created: 0 };
      const { id, token, expiresAt } = await createApiKey(ctx, { name, scopes, expiry });
      report.event("key", { id, token, name, scopes: scopes.join(","), expiresAt });
      return { created: 1 };
    });
  },
});

const list = defineCommand({
  meta: { name: "list", description: "List the API keys that were not revoked." },
  args: { ...orgArg, json: jobArgs.json },
  run: ({ args }) =>
    withKeys(args, args.org, async (ctx, { report, signal }) => {
      let keys = 0;
      let iterator: string | null = null;
      do {
        const page = await listApiKeys(ctx, { limit: pageSize, ...(iterator !== null && { iterator }) });
        for (const { scopes, ...key } of page.data) report.event("key", { ...key, scopes: scopes.join(",") });
        keys += page.data.length;
        iterator = page.done ? null : page.iterator;
      } while (iterator !== null && !signal.aborted);
      return { keys };
    }),
});

const revoke = defineCommand({
  meta: { name: "revoke", description: "End an API key, everywhere within five seconds." },
  args: {
    id: { type: "positional", description: "The key's id.", required: true, valueHint: "key_…" },
    ...orgArg,
    ...jobArgs,
  },
  run: ({ args }) => {
    const { id } = args;
    if (!isId("key_", id)) {
      throw new UsageError(`A key's id is key_ and 27 letters and digits; got ${JSON.stringify(id)}.`);
    }
    return withKeys(args, args.org, async (ctx, job) => {
      const key = await found(ctx, id);
      await job.confirm(`Revoke ${id} (${key.name}) of ${ctx.orgId}: whoever uses it is refused.`);
      if (!job.dryRun) await endApiKey(ctx, id);
      return { revoked: job.dryRun ? 0 : 1 };
    });
  },
});

export default defineCommand({
  meta: { name: "keys", description: "Make, list and revoke API keys." },
  subCommands: { create: extendCommand(create, { repeatable: ["scopes"] }), list, revoke },
});

async function found(ctx: ActorContext, id: string) {
  try {
    return await getApiKey(ctx, id);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "not_found") throw error;
    throw new UsageError(`${ctx.orgId} has no live key ${id}.`);
  }
}

async function withKeys(
  flags: JobFlags,
  orgId: string,
  work: (ctx: ActorContext, job: Job) => Promise<Counts>,
): Promise<number> {
  const org = idValue("org", orgId, "org_");
  return runOperation("keys", flags, ({ job, contextOf }) => work(contextOf(org), job));
}
