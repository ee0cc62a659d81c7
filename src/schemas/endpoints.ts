import { type Static, Type } from "@sinclair/typebox";
import {
  Channel,
  Id,
  Input,
  Legacy,
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

const Url = Text({
  minLength: 1,
  maxLength: 65536,
  description:
    "http or https; or `poll:` and a name of yours, for an endpoint that is read instead of called",
  examples: ["https://example.com/webhooks"],
});
// An empty list is no filter: a widely used client posts it.
const EventTypes = Type.Array(Name, { description: "which event types it receives; all unless told" });
const Channels = Type.Array(Channel, { maxItems: 10, description: "which channels; all unless told" });
const Version = Type.Integer({
  minimum: 0,
  maximum: 2_147_483_647,
  description: "kept and given back",
  deprecated: true,
});

const optional = {
  uid: OptionalNullable(Uid("ep_", "billing")),
  description: Type.Optional(Text({ examples: ["The billing system"] })),
  disabled: Type.Optional(Type.Boolean()),
  eventTypes: OptionalNullable(EventTypes),
  filterTypes: OptionalNullable(Legacy(EventTypes, "eventTypes")),
  channels: OptionalNullable(Channels),
  version: OptionalNullable(Version),
  metadata: Type.Optional(Metadata),
};
const rate = {
  throttleRate: OptionalNullable(ThrottleRate),
  rateLimit: OptionalNullable(Legacy(ThrottleRate, "throttleRate")),
};

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
  rateLimit: OptionalNullable(Legacy(ThrottleRatePatch, "throttleRate")),
});
export type EndpointPatch = Static<typeof EndpointPatch>;

export const EndpointOut = Type.Object({
  id: Id("ep_"),
  uid: Nullable(Type.String({ examples: ["billing"] })),
  url: Type.String({ examples: ["https://example.com/webhooks"] }),
  description: Type.String({ examples: ["The billing system"] }),
  disabled: Type.Boolean(),
  eventTypes: Nullable(Type.Array(Name)),
  filterTypes: Nullable(Legacy(Type.Array(Name), "eventTypes")),
  channels: Nullable(Type.Array(Channel)),
  throttleRate: Nullable(Type.Integer({ description: "messages per second", examples: [100] })),
  rateLimit: Nullable(Legacy(Type.Integer({ examples: [100] }), "throttleRate")),
  version: Type.Integer({ deprecated: true, examples: [1] }),
  metadata: Metadata,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type EndpointOut = Static<typeof EndpointOut>;

export const EndpointList = ListResponse(EndpointOut);
