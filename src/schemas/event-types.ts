import { type Static, Type } from "@sinclair/typebox";
import { retryDelaySecondsMax, retryDelaysMax } from "../services/delivery-limits.ts";
import {
  Input,
  ListResponse,
  Name,
  Nullable,
  OptionalNullable,
  RetrySchedule,
  Text,
  Timestamp,
} from "./common.ts";

const Schemas = Type.Record(Type.String(), Type.Unknown(), {
  description: "JSON Schemas of the payload, by version",
  examples: [
    { "1": { type: "object", properties: { user: { type: "string" } }, examples: [{ user: "ada" }] } },
  ],
});
const Schedule = RetrySchedule("the server's schedule; an endpoint's own goes before it");
const ValidatePayloads = Type.Boolean({
  description:
    "off unless set: messages are refused (422) unless their payload matches the schema of the highest version: JSON Schema, draft 7 or 2020-12. `format` says nothing, and only `$ref` within the schema is followed",
});
const FeatureFlags = Type.Array(Name, { maxItems: 100, examples: [["beta"]] });

const optional = {
  archived: Type.Optional(Type.Boolean()),
  deprecated: Type.Optional(Type.Boolean()),
  schemas: OptionalNullable(Schemas),
  featureFlag: OptionalNullable({ ...Name, examples: ["beta"] }),
  featureFlags: OptionalNullable(FeatureFlags),
  groupName: OptionalNullable({ ...Name, examples: ["user"] }),
  retrySchedule: OptionalNullable(Schedule),
  validatePayloads: Type.Optional(ValidatePayloads),
};

export const EventTypeIn = Input({
  name: Name,
  description: Text({ examples: ["Somebody signed up"] }),
  ...optional,
});
export type EventTypeIn = Static<typeof EventTypeIn>;

export const EventTypeUpdate = Input({
  description: Text({ examples: ["Somebody signed up"] }),
  ...optional,
});
export type EventTypeUpdate = Static<typeof EventTypeUpdate>;

/** Absent keeps, null clears. */
export const EventTypePatch = Input({
  description: Type.Optional(Text({ examples: ["Somebody signed up"] })),
  ...optional,
});
export type EventTypePatch = Static<typeof EventTypePatch>;

export const EventTypeOut = Type.Object({
  name: Name,
  description: Type.String({ examples: ["Somebody signed up"] }),
  archived: Type.Boolean(),
  deprecated: Type.Boolean(),
  schemas: Nullable(Schemas),
  featureFlag: Nullable(Type.String({ examples: ["beta"] })),
  featureFlags: Nullable(Type.Array(Type.String({ examples: ["beta"] }))),
  groupName: Nullable(Type.String({ examples: ["user"] })),
  retrySchedule: Nullable(Schedule),
  validatePayloads: Type.Boolean(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type EventTypeOut = Static<typeof EventTypeOut>;

const Duration = Type.Object({
  secs: Type.Integer({ minimum: 0, maximum: retryDelaySecondsMax, examples: [5] }),
  nanos: Type.Integer({ minimum: 0, maximum: 999_999_999, examples: [0] }),
});
const Durations = Type.Array(Duration, {
  maxItems: retryDelaysMax,
  description: "the wait before each retry; [] for no retries, null for the server's schedule",
});

export const RetryScheduleIn = Input({ retrySchedule: OptionalNullable(Durations) });
export type RetryScheduleIn = Static<typeof RetryScheduleIn>;

export const RetryScheduleOut = Type.Object({ retrySchedule: Nullable(Durations) });
export type RetryScheduleOut = Static<typeof RetryScheduleOut>;

export const EventTypeList = ListResponse(EventTypeOut);
