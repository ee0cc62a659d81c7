import { TypeCompiler } from "@sinclair/typebox/compiler";
import { isDeeperThan } from "../lib/json-depth.ts";
import { readWebhooks, TooLarge, type Webhook, writeWebhooks } from "../lib/openapi/webhooks.ts";
import type {
  EventTypeFromOpenApi,
  EventTypeImportOpenApiIn,
  EventTypeImportOpenApiOut,
  EventTypeOpenApiOut,
} from "../schemas/event-type-openapi.ts";
import { EventTypeIn } from "../schemas/event-types.ts";
import { requireOrg } from "./authorization.ts";
import { actorName, type Context } from "./context.ts";
import { exportEnvironment } from "./environment.ts";
import { AppError, invalid } from "./errors.ts";
import { newestSchema } from "./event-type-schemas.ts";
import { eventTypeRow } from "./event-types.ts";
import { changeEventTypes, requirePayloadSchema } from "./payload-schemas.ts";

/** A request's own depth, and far more values than two megabytes of JSON describe by hand. */
const depthMax = 1_000;
/** Aliases in YAML can make much out of little. */
const documentBytesMax = 8_000_000;
const schemaVersion = "1";

const imported = TypeCompiler.Compile(EventTypeIn);

/** Makes an event type out of each webhook of an OpenAPI document, all or nothing; archived ones come back. */
export async function importOpenApi(
  ctx: Context,
  input: EventTypeImportOpenApiIn,
): Promise<EventTypeImportOpenApiOut> {
  requireOrg(ctx);
  const eventTypes = readEventTypes(input);
  if (input.dryRun) return { data: { modified: [], to_modify: eventTypes } };
  const names = eventTypes.map(({ name }) => name);
  await changeEventTypes(ctx, async (tx) => {
    for (const one of eventTypes) {
      const { eventType } = await tx.eventTypes.upsert(toRow(ctx, one));
      requirePayloadSchema(eventType, ["body", "spec", "webhooks", one.name]);
    }
    const archived = input.replaceAll ? await tx.eventTypes.archiveOthers(ctx.orgId, names) : 0;
    await tx.auditLog.insert({
      orgId: ctx.orgId,
      actor: actorName(ctx.actor),
      action: "event-type.import-openapi",
      detail: { eventTypes: names.length, archived },
    });
  });
  return { data: { modified: names, to_modify: null } };
}

/** What the document doesn't say of a type stays as it is: else a type behind a flag would be everybody's. */
function toRow(ctx: Context, one: EventTypeFromOpenApi) {
  const full = eventTypeRow(ctx, one.name, one);
  const { groupName, featureFlags, retrySchedule: _, validatePayloads: __, ...row } = full;
  return { ...row, ...(groupName !== null && { groupName }), ...(featureFlags !== null && { featureFlags }) };
}

/** By name, so that two imports can't wait for each other. */
function readEventTypes(input: EventTypeImportOpenApiIn): EventTypeFromOpenApi[] {
  const webhooks = readAll(parse(input));
  if (webhooks === null) throw invalid(["body", "spec", "webhooks"], "the document has no webhooks");
  const eventTypes = webhooks.map(toEventType);
  return eventTypes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readAll(document: Record<string, unknown>): Webhook[] | null {
  try {
    return readWebhooks(document, documentBytesMax);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    throw invalid(["body", "spec"], "is too large with its references written out");
  }
}

function toEventType(webhook: Webhook): EventTypeFromOpenApi {
  const { name, description, deprecated, schema, groupName, featureFlags } = webhook;
  const eventType = {
    name,
    description,
    deprecated,
    schemas: schema === null ? null : { [schemaVersion]: schema },
    groupName: groupName ?? null,
    featureFlags: featureFlags ?? null,
  };
  if (imported.Check(eventType)) return eventType as EventTypeFromOpenApi;
  const fault = imported.Errors(eventType).First();
  const where = fault?.path.split("/").filter((part) => part !== "") ?? [];
  throw invalid(
    ["body", "spec", "webhooks", name.toWellFormed(), ...where],
    fault?.message ?? "is no event type",
  );
}

function parse({ spec, specRaw }: EventTypeImportOpenApiIn): Record<string, unknown> {
  if (spec && typeof specRaw === "string")
    throw new AppError("generic_error", { detail: "Either spec or specRaw." });
  if (spec) return spec;
  if (typeof specRaw !== "string")
    throw new AppError("generic_error", { detail: "spec or specRaw is missing." });
  const parsed = parseText(specRaw);
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw invalid(["body", "specRaw"], "is no OpenAPI document");
}

function parseText(text: string): unknown {
  const wrong = (why: string) => invalid(["body", "specRaw"], why);
  if (isDeeperThan(text, depthMax)) throw wrong("nests too deep");
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON, so YAML.
  }
  let parsed: unknown;
  try {
    parsed = Bun.YAML.parse(text);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : "is neither JSON nor YAML");
  }
  const bytes = sizeOf(parsed, 0, documentBytesMax);
  if (bytes === null) throw wrong("nests too deep, or is too large with its aliases written out");
  // Written out, so that nothing is shared, and what JSON has no word for is gone.
  return JSON.parse(JSON.stringify(parsed) ?? "null");
}

/** About how long it is as JSON; null when that is more than `max`, or it nests too deep, as what holds itself does. */
function sizeOf(value: unknown, depth: number, max: number): number | null {
  if (depth > depthMax) return null;
  if (typeof value === "string") return value.length + 3;
  if (typeof value !== "object" || value === null) return 8;
  let size = 2;
  for (const [key, member] of Object.entries(value)) {
    const of = sizeOf(member, depth + 1, max - size);
    if (of === null) return null;
    size += of + key.length + 4;
    if (size > max) return null;
  }
  return size;
}

/** The event types that are not archived, as the webhooks of an OpenAPI document. */
export async function exportOpenApi(ctx: Context): Promise<EventTypeOpenApiOut> {
  const { eventTypes } = await exportEnvironment(ctx);
  const live = eventTypes.filter(({ archived }) => !archived);
  const webhooks = live.map(({ schemas, ...rest }) => {
    const schema = newestSchema(schemas ?? {});
    return { ...rest, schema: isObject(schema) ? schema : null };
  });
  return {
    openapi: "3.1.0",
    info: { title: "Webhooks", version: "1" },
    ...writeWebhooks(webhooks),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
