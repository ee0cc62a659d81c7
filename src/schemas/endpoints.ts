import { type Static, Type } from "@sinclair/typebox";
import {
  Channel,
  Input,
  ListResponse,
  Metadata,
  Name,
  Nullable,
  OptionalNullable,
  Text,
  ThrottleRate,
  ThrottleRatePatch,
  Timestamp,
  Uid,
} from "./common.ts";
import { Headers } from "./endpoint-headers.ts";
import { Secret } from "./endpoint-secrets.ts";

const Url = Text({ minLength: 1, maxLength: 65536, description: "http or https" });
// An empty list is no filter: a widely used client posts it.
const EventTypes = Type.Array(Name, { description: "which event types it receives; all unless told" });
const Channels = Type.Array(Channel, { maxItems: 10, description: "which channels; all unless told" });
const Version = Type.Integer({ minimum: 0, maximum: 2_147_483_647 });

const optional = {
  uid: OptionalNullable(Uid("ep_")),
  description: Type.Optional(Text()),
  disabled: Type.Optional(Type.Boolean()),
  eventTypes: OptionalNullable(EventTypes),
  filterTypes: OptionalNullable(EventTypes),
  channels: OptionalNullable(Channels),
  version: OptionalNullable(Version),
  metadata: Type.Optional(Metadata),
};
const rate = { throttleRate: OptionalNullable(ThrottleRate), rateLimit: OptionalNullable(ThrottleRate) };

export const EndpointUpdate = Input({ url: Url, ...optional, ...rate });
export type EndpointUpdate = Static<typeof EndpointUpdate>;

export const EndpointIn = Input({
  url: Url,
  ...optional,
  ...rate,
  secret: OptionalNullable(Secret),
  headers: OptionalNullable(Headers),
});
export type EndpointIn = Static<typeof EndpointIn>;

/** Absent keeps, null clears. */
export const EndpointPatch = Input({
  url: Type.Optional(Url),
  ...optional,
  throttleRate: OptionalNullable(ThrottleRatePatch),
  rateLimit: OptionalNullable(ThrottleRatePatch),
});
export type EndpointPatch = Static<typeof EndpointPatch>;

export const EndpointOut = Type.Object({
  id: Type.String(),
  uid: Nullable(Type.String()),
  url: Type.String(),
  description: Type.String(),
  disabled: Type.Boolean(),
  eventTypes: Nullable(Type.Array(Type.String())),
  filterTypes: Nullable(Type.Array(Type.String(), { description: "what 1.x SDKs call eventTypes" })),
  channels: Nullable(Type.Array(Type.String())),
  throttleRate: Nullable(Type.Integer()),
  rateLimit: Nullable(Type.Integer({ description: "what 1.x SDKs call throttleRate" })),
  version: Type.Integer(),
  metadata: Metadata,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type EndpointOut = Static<typeof EndpointOut>;

export const EndpointList = ListResponse(EndpointOut);
