import { type Static, Type } from "@sinclair/typebox";
import { Input, ListResponse, Name, Nullable, OptionalNullable, Text, Timestamp } from "./common.ts";

const Schemas = Type.Record(Type.String(), Type.Unknown(), {
  description: "JSON Schemas of the payload, by version",
});
const FeatureFlags = Type.Array(Name, { maxItems: 100 });

const optional = {
  archived: Type.Optional(Type.Boolean()),
  deprecated: Type.Optional(Type.Boolean()),
  schemas: OptionalNullable(Schemas),
  featureFlag: OptionalNullable(Name),
  featureFlags: OptionalNullable(FeatureFlags),
  groupName: OptionalNullable(Name),
};

export const EventTypeIn = Input({ name: Name, description: Text(), ...optional });
export type EventTypeIn = Static<typeof EventTypeIn>;

export const EventTypeUpdate = Input({ description: Text(), ...optional });
export type EventTypeUpdate = Static<typeof EventTypeUpdate>;

/** Absent keeps, null clears. */
export const EventTypePatch = Input({ description: Type.Optional(Text()), ...optional });
export type EventTypePatch = Static<typeof EventTypePatch>;

export const EventTypeOut = Type.Object({
  name: Type.String(),
  description: Type.String(),
  archived: Type.Boolean(),
  deprecated: Type.Boolean(),
  schemas: Nullable(Schemas),
  featureFlag: Nullable(Type.String()),
  featureFlags: Nullable(Type.Array(Type.String())),
  groupName: Nullable(Type.String()),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type EventTypeOut = Static<typeof EventTypeOut>;

export const EventTypeList = ListResponse(EventTypeOut);
