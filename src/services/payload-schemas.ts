import { statementDeadlineMs, withDeadline } from "../lib/deadline.ts";
import { compileSchema, SchemaFault, type Validator } from "../lib/json-schema/index.ts";
import type { EventType } from "../models/event-types.ts";
import type { Repos, TxRepos } from "../repos/index.ts";
import type { EventTypeContext } from "./context.ts";
import { AppError, invalid } from "./errors.ts";
import { newestSchema, newestVersion } from "./event-type-schemas.ts";

/** What a payload is held against. Null when that has ended a moment ago. */
export type PayloadSchema = () => Promise<Validator | null>;

export type PayloadSchemas = {
  /** Null for an event type that doesn't ask for a check: most, and they cost a look into a map. */
  find(orgId: string, eventType: string): PayloadSchema | null;
  /** Learns what asks for a check now. What was committed before the call is known after it. */
  refresh(): Promise<void>;
};

type Known = Map<string, Map<string, { version: string; schema: PayloadSchema }>>;

/** About a tenth of a second at worst, in which the process does nothing else; a usual payload takes a hundred. */
const stepsMax = 250_000;

/** The event types, of all orgs, that have payloads checked. Their schemas are read with the first message of each. */
export function createPayloadSchemas({
  eventTypes,
}: {
  eventTypes: Pick<Repos["eventTypes"], "listValidating" | "findValidating">;
}): PayloadSchemas {
  let known: Known = new Map();
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    const rows = await withDeadline(eventTypes.listValidating(), statementDeadlineMs);
    const next: Known = new Map();
    for (const { orgId, name, version } of rows) {
      const before = known.get(orgId)?.get(name);
      const entry = before?.version === version ? before : { version, schema: lazily(orgId, name) };
      const own = next.get(orgId) ?? new Map();
      next.set(orgId, own.set(name, entry));
    }
    known = next;
  };

  const read = async (orgId: string, name: string): Promise<Validator | null> => {
    const row = await withDeadline(eventTypes.findValidating(orgId, name), statementDeadlineMs);
    return row === null ? null : compileSchema(newestSchema(row.schemas ?? {}));
  };

  const lazily = (orgId: string, name: string): PayloadSchema => {
    let reading: Promise<Validator | null> | null = null;
    return () => {
      reading ??= read(orgId, name).catch((error: unknown) => {
        reading = null;
        throw error;
      });
      return reading;
    };
  };

  return {
    find: (orgId, eventType) => known.get(orgId)?.get(eventType)?.schema ?? null,
    refresh() {
      // One after the other: what was asked first must not be remembered last. Who comes while one waits shares it.
      waiting ??= last
        .catch(() => {})
        .then(() => {
          waiting = null;
          return load();
        });
      last = waiting;
      return waiting;
    },
  };
}

/** Changes event types in a transaction. After it this process knows of the change, and the others hear of it. */
export async function changeEventTypes<T>(
  ctx: EventTypeContext,
  work: (tx: TxRepos) => Promise<T>,
): Promise<T> {
  const result = await ctx.repos.tx(async (tx) => {
    const done = await work(tx);
    await tx.eventTypes.announce();
    return done;
  });
  try {
    await ctx.payloadSchemas.refresh();
  } catch (err) {
    // It is committed, and is looked at again within seconds.
    ctx.log.warn({ err }, "which payloads are to be checked can't be read");
  }
  return result;
}

/**
 * @param loc where the event type stands in the request
 * @throws AppError validation (422) for one that has payloads checked, by a schema that isn't there or can't be used
 */
export function requirePayloadSchema(
  { validatePayloads, schemas }: Pick<EventType, "validatePayloads" | "schemas">,
  loc: string[],
): void {
  if (!validatePayloads) return;
  const version = newestVersion(schemas ?? {});
  if (version === undefined) {
    throw invalid(
      [...loc, "validatePayloads"],
      "needs a schema to hold payloads against, and schemas has none",
    );
  }
  try {
    compileSchema(schemas?.[version]);
  } catch (error) {
    if (!(error instanceof SchemaFault)) throw error;
    throw invalid([...loc, "schemas", version, ...error.path], error.message);
  }
}

/**
 * Holds a payload against a schema.
 * @param loc where it stands in the request
 * @returns null when it matches, or else a 422 that names the places in it
 */
export function checkPayload(validator: Validator, payload: unknown, loc: string[]): AppError | null {
  const outcome = validator.validate(payload, stepsMax);
  switch (outcome.kind) {
    case "valid":
      return null;
    case "too-expensive":
      return invalid(loc, "can't be checked: the event type's schema is too expensive for this payload");
    case "invalid":
      return new AppError("validation", {
        issues: outcome.faults.map(({ path, message }) => ({
          loc: [...loc, ...path],
          msg: message,
          type: "value_error",
        })),
      });
  }
}
