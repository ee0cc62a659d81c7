import { newId } from "../lib/ids.ts";
import { type OrderedPageQuery, type Page, page, pageRequest } from "../lib/pagination.ts";
import type { EventType } from "../models/event-types.ts";
import type { EventTypeIn, EventTypeOut, EventTypePatch, EventTypeUpdate } from "../schemas/event-types.ts";
import { eventTypeScope, requireOrg } from "./authorization.ts";
import type { ActorContext, Context, EventTypeContext } from "./context.ts";
import { AppError, invalid, notFound } from "./errors.ts";
import { changeEventTypes, requirePayloadSchema } from "./payload-schemas.ts";

const toOut = (row: EventType): EventTypeOut => ({
  name: row.name,
  description: row.description,
  archived: row.archived,
  deprecated: row.deprecated,
  schemas: row.schemas,
  featureFlag: row.featureFlags?.[0] ?? null,
  featureFlags: row.featureFlags,
  groupName: row.groupName,
  retrySchedule: row.retrySchedule,
  validatePayloads: row.validatePayloads,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

// "-" before an iterator means backward, so that a name that starts with one needs something before it.
const cursorOf = ({ name }: EventType) => (name.startsWith("-") ? `:${name}` : name);

const one = (flag: string | null | undefined) => (typeof flag === "string" ? [flag] : flag);

/** The flags under either name; undefined when neither is given. */
function featureFlagsOf(input: EventTypePatch): string[] | null | undefined {
  if (input.featureFlags === undefined) return one(input.featureFlag);
  return input.featureFlags?.length ? [...new Set(input.featureFlags)] : null;
}

/** The row as it was written, unless it asks for a check that its schema can't make. */
function requireSchema<T extends EventType | null>(row: T): T {
  if (row !== null) requirePayloadSchema(row, ["body"]);
  return row;
}

const fields = (input: EventTypeUpdate) => ({
  description: input.description,
  archived: input.archived ?? false,
  deprecated: input.deprecated ?? false,
  schemas: input.schemas ?? null,
  featureFlags: featureFlagsOf(input) ?? null,
  groupName: input.groupName ?? null,
  retrySchedule: input.retrySchedule ?? null,
  validatePayloads: input.validatePayloads ?? false,
});

/** What is stored of a type that is given in full. */
export const eventTypeRow = (ctx: Pick<Context, "orgId">, name: string, input: EventTypeUpdate) => ({
  id: newId("evtype_"),
  orgId: ctx.orgId,
  name,
  ...fields(input),
});

export async function getEventType(ctx: Context, name: string): Promise<EventTypeOut> {
  const row = await ctx.repos.eventTypes.find(eventTypeScope(ctx), name);
  if (!row) throw notFound();
  return toOut(row);
}

/** By name, ascending whatever the order that is asked for, as clients know it. */
export async function listEventTypes(
  ctx: Context,
  query: OrderedPageQuery & { include_archived?: boolean; with_content?: boolean },
): Promise<Page<EventTypeOut>> {
  const request = pageRequest(query, "ascending");
  const cursor = request.cursor?.replace(/^:/, "") ?? null;
  const rows = await ctx.repos.eventTypes.list(
    eventTypeScope(ctx),
    { ...request, cursor },
    { includeArchived: query.include_archived ?? false, withSchemas: query.with_content ?? false },
  );
  return page(rows, request, cursorOf, toOut);
}

/** An archived one of that name comes back as what is given now. */
export async function createEventType(ctx: EventTypeContext, input: EventTypeIn): Promise<EventTypeOut> {
  requireOrg(ctx);
  const row = await changeEventTypes(ctx, async (tx) =>
    requireSchema(await tx.eventTypes.insert(eventTypeRow(ctx, input.name, input))),
  );
  if (!row) throw new AppError("event_type_exists");
  return toOut(row);
}

export async function upsertEventType(
  ctx: Context,
  name: string,
  input: EventTypeUpdate,
): Promise<{ created: boolean; eventType: EventTypeOut }> {
  requireOrg(ctx);
  return changeEventTypes(ctx, async (tx) => {
    const { created, eventType } = await tx.eventTypes.upsert(eventTypeRow(ctx, name, input));
    return { created, eventType: toOut(requireSchema(eventType)) };
  });
}

export async function patchEventType(
  ctx: Context,
  name: string,
  input: EventTypePatch,
): Promise<EventTypeOut> {
  requireOrg(ctx);
  const featureFlags = featureFlagsOf(input);
  const changes = {
    ...(input.description !== undefined && { description: input.description }),
    ...(input.archived !== undefined && { archived: input.archived }),
    ...(input.deprecated !== undefined && { deprecated: input.deprecated }),
    ...(input.schemas !== undefined && { schemas: input.schemas }),
    ...(input.groupName !== undefined && { groupName: input.groupName }),
    ...(input.retrySchedule !== undefined && { retrySchedule: input.retrySchedule }),
    ...(input.validatePayloads !== undefined && { validatePayloads: input.validatePayloads }),
    ...(featureFlags !== undefined && { featureFlags }),
  };
  const row = await changeEventTypes(ctx, async (tx) =>
    requireSchema(await tx.eventTypes.update(ctx.orgId, name, changes)),
  );
  if (!row) throw notFound();
  return toOut(row);
}

/** Archives it, or with `expunge` removes it for good. */
export async function deleteEventType(
  ctx: Context,
  name: string,
  options: { expunge: boolean },
): Promise<void> {
  requireOrg(ctx);
  const found = await changeEventTypes<unknown>(ctx, ({ eventTypes }) =>
    options.expunge
      ? eventTypes.expunge(ctx.orgId, name)
      : eventTypes.update(ctx.orgId, name, { archived: true }),
  );
  if (!found) throw notFound();
}

/** 422 when the actor knows no event type of one of these names. */
export async function checkEventTypes(ctx: ActorContext, names: readonly string[] | null | undefined) {
  if (!names?.length) return;
  const missing = await ctx.repos.eventTypes.missing(eventTypeScope(ctx), names);
  if (missing.length > 0) {
    throw invalid(["body", "eventTypes"], `these event types don't exist: ${missing.join(", ")}`);
  }
}
