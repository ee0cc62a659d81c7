import type { EnvironmentIn, EnvironmentOut } from "../schemas/environment.ts";
import type { EventTypeOut } from "../schemas/event-types.ts";
import { audit } from "./audit.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { eventTypeRow, listEventTypes } from "./event-types.ts";
import { changeEventTypes, requirePayloadSchema } from "./payload-schemas.ts";

const pageSize = 250;

/** What an org has set up: its event types, archived ones too. */
export async function exportEnvironment(ctx: Context): Promise<EnvironmentOut> {
  requireOrg(ctx);
  const eventTypes: EventTypeOut[] = [];
  const everything = { limit: pageSize, include_archived: true, with_content: true };
  for (let iterator: string | null = null; ; ) {
    const page = await listEventTypes(ctx, { ...everything, ...(iterator !== null && { iterator }) });
    eventTypes.push(...page.data);
    if (page.done) break;
    iterator = page.iterator;
  }
  return { version: 1, createdAt: new Date().toISOString(), eventTypes, settings: null, connectors: [] };
}

type Imported = NonNullable<EnvironmentIn["eventTypes"]>[number];

/** What only we have is lost on its way through an SDK's types: where an import says nothing of it, it stays as it is. */
function rowOf(ctx: Context, one: Imported) {
  const { retrySchedule, validatePayloads, ...row } = eventTypeRow(ctx, one.name, one);
  return {
    ...row,
    ...(one.retrySchedule !== undefined && { retrySchedule }),
    ...(one.validatePayloads !== undefined && { validatePayloads }),
  };
}

/** Adds what isn't there and replaces what is, all or nothing. Takes nothing away. */
export async function importEnvironment(ctx: Context, input: EnvironmentIn): Promise<void> {
  requireOrg(ctx);
  // The last of a name counts; and all in one order, so that two imports can't wait for each other.
  const byName = new Map((input.eventTypes ?? []).map((one) => [one.name, one]));
  const eventTypes = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  await changeEventTypes(ctx, async (tx) => {
    for (const one of eventTypes) {
      const { eventType } = await tx.eventTypes.upsert(rowOf(ctx, one));
      requirePayloadSchema(eventType, ["body", "eventTypes", String(input.eventTypes?.indexOf(one))]);
    }
    await audit(ctx, tx, {
      action: "environment.import",
      detail: { eventTypes: eventTypes.length },
    });
  });
}
