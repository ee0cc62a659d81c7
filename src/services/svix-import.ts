import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type IdPrefix, idTime, isId } from "../lib/ids.ts";
import { ApplicationIn } from "../schemas/applications.ts";
import { EndpointIn } from "../schemas/endpoints.ts";
import { EventTypeIn } from "../schemas/event-types.ts";
import { createApplication } from "./applications.ts";
import { applicationScope, eventTypeScope } from "./authorization.ts";
import type { EndpointContext, EventTypeContext, OperatorContext } from "./context.ts";
import { createEndpoint, draftEndpoint } from "./endpoints.ts";
import { AppError } from "./errors.ts";
import { createEventType } from "./event-types.ts";
import type { SvixObject, SvixSource } from "./svix-source.ts";
import { slackMs } from "./times.ts";

/**
 * What became of something. `kept`: it was here before, and stays as it is here. `skipped`: it was here once, and was
 * deleted. `incomplete`: added, but for what the other server doesn't tell.
 */
export type Imported = {
  kind: "event-type" | "application" | "endpoint";
  id: string;
  outcome: "added" | "kept" | "skipped" | "incomplete" | "failed";
  /** What is missing or wrong; null when nothing is. */
  reason: string | null;
};

export type SvixImport = {
  ctx: EndpointContext & EventTypeContext;
  source: SvixSource;
  /** Reads and checks everything, and writes nothing. */
  dryRun: boolean;
};

/** Why something can't be taken over, as a sentence. */
class Refusal extends Error {}

const usedBefore = "its id was used here before: it was deleted, or is another org's";

/** Writes down that somebody imports from there. */
export const announceImport = (
  { ctx, from }: { ctx: EndpointContext; from: string },
  { actor }: OperatorContext,
): Promise<void> =>
  ctx.repos.auditLog.insert({ orgId: ctx.orgId, actor, action: "svix.import", detail: { from } });

/** The event types, archived ones too. */
export async function* importEventTypes({ ctx, source, dryRun }: SvixImport): AsyncGenerator<Imported> {
  const query = { include_archived: "true", with_content: "true" };
  for await (const given of source.list("/event-type", query)) {
    yield attempt("event-type", given.name, async () => {
      const input = checked(EventTypeIn, given);
      if (await ctx.repos.eventTypes.find(eventTypeScope(ctx), input.name)) return "kept";
      if (!dryRun) await createEventType(ctx, input);
      return "added";
    });
  }
}

/** An application, then its endpoints, each with its secret and headers in one transaction. Ids and uids stay. */
export async function* importApplication(run: SvixImport, given: SvixObject): AsyncGenerator<Imported> {
  const { ctx, source, dryRun } = run;
  let appId: string | null = null;
  const imported = await attempt("application", given.id, async () => {
    const id = checkedId("app_", given.id);
    const input = checked(ApplicationIn, given);
    const { applications } = ctx.repos;
    const found =
      (await applications.find(ctx.orgId, id)) ??
      (input.uid ? await applications.find(ctx.orgId, input.uid) : null);
    appId = found?.id ?? id;
    if (found) return "kept";
    if (!dryRun) await createApplication(ctx, input, { getIfExists: false, id });
    return "added";
  });
  yield imported;
  if (appId === null || imported.outcome === "failed" || imported.outcome === "skipped") return;
  for await (const endpoint of source.list(`/app/${imported.id}/endpoint`)) {
    yield importEndpoint(run, { appId, sourceAppId: imported.id, given: endpoint });
  }
}

async function importEndpoint(
  { ctx, source, dryRun }: SvixImport,
  { appId, sourceAppId, given }: { appId: string; sourceAppId: string; given: SvixObject },
): Promise<Imported> {
  let hidden: string[] = [];
  const imported = await attempt("endpoint", given.id, async () => {
    const id = checkedId("ep_", given.id);
    const scope = applicationScope(ctx, appId);
    if (await ctx.repos.endpoints.find(scope, id)) return "kept";
    if (typeof given.uid === "string" && (await ctx.repos.endpoints.find(scope, given.uid))) return "kept";
    const path = `/app/${sourceAppId}/endpoint/${id}`;
    const [{ key }, { headers, sensitive }] = await Promise.all([
      source.get(`${path}/secret`),
      source.get(`${path}/headers`),
    ]);
    if (typeof key === "string" && key.startsWith("whpk_")) {
      throw new Refusal("it signs with an Ed25519 key, of which the server gives the public half only");
    }
    const input = checked(EndpointIn, { ...given, secret: key, headers });
    hidden = Array.isArray(sensitive) ? sensitive.map(String) : [];
    if (dryRun) draftEndpoint(ctx, input, id);
    else await createEndpoint(ctx, appId, input, id);
    return "added";
  });
  if (imported.outcome !== "added" || hidden.length === 0) return imported;
  const reason = `the server doesn't give these headers, set them here: ${hidden.join(", ")}`;
  return { ...imported, outcome: "incomplete", reason };
}

/** Does it, and tells of what stands against it. What can't be helped, like a database that is away, is thrown. */
async function attempt(
  kind: Imported["kind"],
  id: unknown,
  work: () => Promise<"added" | "kept">,
): Promise<Imported> {
  const subject = { kind, id: String(id) };
  try {
    return { ...subject, outcome: await work(), reason: null };
  } catch (error) {
    if (error instanceof Refusal) return { ...subject, outcome: "failed", reason: error.message };
    if (!(error instanceof AppError)) throw error;
    if (error.code === "conflict") return { ...subject, outcome: "skipped", reason: usedBefore };
    const [issue] = error.issues;
    return { ...subject, outcome: "failed", reason: issue ? fault(issue.loc, issue.msg) : error.detail };
  }
}

const fault = (loc: readonly string[], msg: string) =>
  `${loc.filter((part) => part !== "body").join(".")} ${msg}`;

/** As far as we can hold what the other server holds. */
function checked<S extends TSchema>(schema: S, given: SvixObject): Static<S> {
  const error = Value.Errors(schema, given).First();
  if (error === undefined) return given as Static<S>;
  throw new Refusal(fault(error.path.split("/").slice(1), `won't do: ${error.message.toLowerCase()}`));
}

/** One that sorts by its time, which is not still to come: what is new here must sort after it. */
function checkedId(prefix: IdPrefix, id: unknown): string {
  if (typeof id !== "string" || !isId(prefix, id)) {
    throw new Refusal(`its id is not ${prefix} and 27 letters and digits`);
  }
  if (idTime(id).getTime() > Date.now() + slackMs) throw new Refusal("its id is from the future");
  return id;
}
