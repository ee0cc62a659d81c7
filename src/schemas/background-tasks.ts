import { type Static, Type } from "@sinclair/typebox";

import {
  Channel,
  Id,
  Input,
  ListResponse,
  Name,
  Nullable,
  OptionalNullable,
  Tag,
  Timestamp,
} from "./common.ts";

const Status = Type.Union([Type.Literal("running"), Type.Literal("finished"), Type.Literal("failed")]);
const Kind = Type.Union([
  Type.Literal("endpoint.replay"),
  Type.Literal("endpoint.recover"),
  Type.Literal("endpoint.bulk-replay"),
]);
/** The names that clients know of; not all of them are ever made. */
const AnyKind = Type.Union([
  Kind,
  Type.Literal("application.stats"),
  Type.Literal("message.broadcast"),
  Type.Literal("sdk.generate"),
  Type.Literal("event-type.aggregate"),
  Type.Literal("application.purge_content"),
]);

export const ReplayIn = Input({ since: Timestamp, until: OptionalNullable(Timestamp) });
export type ReplayIn = Static<typeof ReplayIn>;

export const BulkReplayIn = Input({
  since: Timestamp,
  until: OptionalNullable(Timestamp),
  eventTypes: OptionalNullable(Type.Array(Name)),
  channel: OptionalNullable(Channel),
  tag: OptionalNullable(Tag),
  status: OptionalNullable(
    Type.Integer({
      minimum: 0,
      maximum: 4,
      description: "0 what went well, 2 what failed; all unless told",
      examples: [2],
    }),
  ),
  statusCodeClass: OptionalNullable(
    Type.Integer({
      minimum: 0,
      maximum: 500,
      multipleOf: 100,
      description: "what got such an answer once",
      examples: [500],
    }),
  ),
});
export type BulkReplayIn = Static<typeof BulkReplayIn>;

export const ReplayOut = Type.Object({ id: Id("qtask_"), status: Status, task: Kind, updatedAt: Timestamp });
export type ReplayOut = Static<typeof ReplayOut>;

const AppStats = Type.Object({
  appId: Id("app_"),
  appUid: Nullable(Type.String()),
  messageDestinations: Type.Integer({
    description: "messages, once for each endpoint that they were sent to",
  }),
});
const AppEventTypes = Type.Object({
  appId: Id("app_"),
  explicitlySubscribedEventTypes: Type.Array(Type.String()),
  hasCatchAllEndpoint: Type.Boolean(),
});

export const BackgroundTaskOut = Type.Object({
  ...ReplayOut.properties,
  task: AnyKind,
  data: Type.Object(
    {
      endpointId: Type.Optional(Id("ep_")),
      since: Type.Optional(Timestamp),
      until: Type.Optional(Timestamp),
      scanned: Type.Optional(Type.Integer({ description: "messages looked at so far" })),
      queued: Type.Optional(Type.Integer({ description: "deliveries queued so far" })),
      appStats: Type.Optional(Type.Array(AppStats, { description: "of application.stats, at its end" })),
      event_types: Type.Optional(
        Type.Array(AppEventTypes, { description: "of event-type.aggregate, at its end" }),
      ),
      messagesPurged: Type.Optional(
        Type.Integer({ description: "of application.purge_content: payloads expunged so far" }),
      ),
      canceled: Type.Optional(Type.Boolean()),
      error: Type.Optional(Type.String()),
    },
    { additionalProperties: true },
  ),
});
export type BackgroundTaskOut = Static<typeof BackgroundTaskOut>;
export const BackgroundTaskList = ListResponse(BackgroundTaskOut);

export const TaskQuery = {
  status: Type.Optional({ ...Status, description: "only those" }),
  task: Type.Optional({ ...AnyKind, description: "only those" }),
};
