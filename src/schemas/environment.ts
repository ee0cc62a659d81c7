import { type Static, Type } from "@sinclair/typebox";
import { Input, Nullable, OptionalNullable, Timestamp } from "./common.ts";
import { EventTypeIn, EventTypeOut } from "./event-types.ts";

export const EnvironmentOut = Type.Object({
  version: Type.Integer(),
  createdAt: Timestamp,
  eventTypes: Type.Array(EventTypeOut),
  settings: Nullable(Type.Object({}, { additionalProperties: true })),
  connectors: Type.Array(Type.Unknown()),
});
export type EnvironmentOut = Static<typeof EnvironmentOut>;

/** What an export holds, of this server or of another one: what there is no such thing of here is passed over. */
export const EnvironmentIn = Input({
  eventTypes: OptionalNullable(Type.Array(EventTypeIn)),
  settings: OptionalNullable(
    Type.Object({}, { additionalProperties: true, description: "passed over: there are none" }),
  ),
  connectors: OptionalNullable(Type.Array(Type.Unknown(), { description: "passed over: there are none" })),
});
export type EnvironmentIn = Static<typeof EnvironmentIn>;
