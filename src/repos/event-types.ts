import { and, eq, getTableColumns, inArray, isNotNull, type SQL, sql } from "drizzle-orm";
import type { PageRequest } from "../lib/pagination.ts";
import { type EventType, eventTypes, type NewEventType } from "../models/event-types.ts";
import { type Db, keyset, type Tx } from "./db.ts";

type Fields = Pick<
  EventType,
  | "description"
  | "archived"
  | "deprecated"
  | "schemas"
  | "featureFlags"
  | "groupName"
  | "retrySchedule"
  | "validatePayloads"
>;
export type EventTypeChanges = Partial<Fields>;

/** Where processes hear that event types have changed. */
export const eventTypeChannel = "posthorn_event_types";

/** Whose types are looked at: those behind a feature flag only with one of these flags, or all (null). */
export type EventTypeScope = { orgId: string; featureFlags: readonly string[] | null };

/** Index of all that name no other: event_types_org_name. */
export function createEventTypesRepo(db: Db | Tx) {
  const named = (orgId: string, name: string) => and(eq(eventTypes.orgId, orgId), eq(eventTypes.name, name));
  const columns = getTableColumns(eventTypes);
  const newer = (row: NewEventType) => {
    const { id: _, orgId: __, name: ___, ...fields } = row;
    return { ...fields, updatedAt: sql`now()` };
  };

  return {
    async find(scope: EventTypeScope, name: string): Promise<EventType | null> {
      const [row] = await db
        .select()
        .from(eventTypes)
        .where(and(named(scope.orgId, name), visible(scope)));
      return row ?? null;
    },

    /** By name. Without `withSchemas` the schemas stay unread and come as null. */
    async list(
      scope: EventTypeScope,
      request: PageRequest,
      options: { includeArchived: boolean; withSchemas: boolean },
    ): Promise<EventType[]> {
      const { past, order } = keyset(eventTypes.name, request);
      const schemas = options.withSchemas ? columns.schemas : sql<null>`null`;
      return db
        .select({ ...columns, schemas })
        .from(eventTypes)
        .where(
          and(
            eq(eventTypes.orgId, scope.orgId),
            options.includeArchived ? undefined : eq(eventTypes.archived, false),
            visible(scope),
            past,
          ),
        )
        .orderBy(order)
        .limit(request.limit + 1);
    },

    /** Which of the names are no event type, archived ones included. */
    async missing(scope: EventTypeScope, names: readonly string[]): Promise<string[]> {
      const rows = await db
        .select({ name: eventTypes.name })
        .from(eventTypes)
        .where(and(eq(eventTypes.orgId, scope.orgId), inArray(eventTypes.name, [...names]), visible(scope)));
      const known = new Set(rows.map((row) => row.name));
      return names.filter((name) => !known.has(name));
    },

    /** Those that have a retry schedule, archived ones included. Index: event_types_retry_schedule. */
    async listRetrySchedules(orgId: string): Promise<Pick<EventType, "name" | "retrySchedule">[]> {
      return db
        .select({ name: eventTypes.name, retrySchedule: eventTypes.retrySchedule })
        .from(eventTypes)
        .where(and(eq(eventTypes.orgId, orgId), isNotNull(eventTypes.retrySchedule)));
    },

    /**
     * Those of all orgs that have payloads checked, without archived ones. Another version is another row.
     * Index: event_types_validating.
     */
    async listValidating(): Promise<{ orgId: string; name: string; version: string }[]> {
      return db
        .select({ orgId: eventTypes.orgId, name: eventTypes.name, version: sql<string>`xmin::text` })
        .from(eventTypes)
        .where(and(eq(eventTypes.validatePayloads, true), eq(eventTypes.archived, false)));
    },

    /** The schemas of one that has payloads checked. Index: event_types_validating. */
    async findValidating(orgId: string, name: string): Promise<Pick<EventType, "schemas"> | null> {
      const [row] = await db
        .select({ schemas: eventTypes.schemas })
        .from(eventTypes)
        .where(
          and(named(orgId, name), eq(eventTypes.validatePayloads, true), eq(eventTypes.archived, false)),
        );
      return row ?? null;
    },

    /** Tells every process that something of these has changed, once the transaction commits. */
    async announce(): Promise<void> {
      await db.execute(sql`select pg_notify(${eventTypeChannel}, '')`);
    },

    /** Takes the place of an archived one of the same name; null when there is a live one. */
    async insert(row: NewEventType): Promise<EventType | null> {
      const [inserted] = await db
        .insert(eventTypes)
        .values(row)
        .onConflictDoUpdate({
          target: [eventTypes.orgId, eventTypes.name],
          set: newer(row),
          setWhere: eq(eventTypes.archived, true),
        })
        .returning();
      return inserted ?? null;
    },

    async upsert(row: NewEventType): Promise<{ eventType: EventType; created: boolean }> {
      const [upserted] = await db
        .insert(eventTypes)
        .values(row)
        .onConflictDoUpdate({ target: [eventTypes.orgId, eventTypes.name], set: newer(row) })
        // A row version that no transaction has replaced or locked was inserted just now.
        .returning({ ...columns, created: sql<boolean>`xmax = 0` });
      const { created, ...eventType } = upserted as EventType & { created: boolean };
      return { eventType, created };
    },

    async update(orgId: string, name: string, changes: EventTypeChanges): Promise<EventType | null> {
      const [row] = await db
        .update(eventTypes)
        .set({ ...changes, updatedAt: sql`now()` })
        .where(named(orgId, name))
        .returning();
      return row ?? null;
    },

    /** Archives all but those. @returns how many */
    async archiveOthers(orgId: string, names: readonly string[]): Promise<number> {
      const rows = await db
        .update(eventTypes)
        .set({ archived: true, updatedAt: sql`now()` })
        .where(
          and(
            eq(eventTypes.orgId, orgId),
            eq(eventTypes.archived, false),
            sql`${eventTypes.name} <> all(${sql.param([...names])}::text[])`,
          ),
        )
        .returning({ id: eventTypes.id });
      return rows.length;
    },

    /** For good; whoever filters by the name keeps doing so. */
    async expunge(orgId: string, name: string): Promise<boolean> {
      const rows = await db.delete(eventTypes).where(named(orgId, name)).returning({ id: eventTypes.id });
      return rows.length > 0;
    },
  };
}

function visible({ featureFlags }: EventTypeScope): SQL | undefined {
  if (featureFlags === null) return undefined;
  return sql`(${eventTypes.featureFlags} is null or ${eventTypes.featureFlags} && ${sql.param([...featureFlags])}::text[])`;
}
