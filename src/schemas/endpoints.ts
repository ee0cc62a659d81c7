import { type Static, Type } from "@sinclair/typebox";
import { endpointTimeoutMsMax, endpointTimeoutMsMin } from "../services/delivery-limits.ts";
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
  RetrySchedule,
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
const Filter = Type.Object(
  {},
  {
    additionalProperties: true,
    description:
      'what it wants of a payload; all unless told. A condition is a `path` (`data.items[0].amount`, `data["a.b"]`) with one or more of `eq`, `in`, `gt`, `gte`, `lt`, `lte` and `exists`, which must all hold; `and`, `or` and `not` combine expressions. What isn\'t there, or is of another type, holds for none of them but `exists: false`. Strings compare by code point, numbers exactly. What is sent raw passes no filter',
    examples: [
      {
        and: [
          { path: "data.amount", gte: 100 },
          { path: "data.country", in: ["AT", "DE"] },
        ],
      },
    ],
  },
);
const Version = Type.Integer({
  minimum: 0,
  maximum: 2_147_483_647,
  description: "kept and given back",
  deprecated: true,
});
const DeliveryTimeout = Type.Integer({
  minimum: endpointTimeoutMsMin,
  maximum: endpointTimeoutMsMax,
  description:
    "how long a delivery may take, from connecting to the last byte; null for the server's timeout",
  examples: [15_000],
});
const Schedule = RetrySchedule("the event type's schedule, or else the server's");

const Fifo = Type.Boolean({
  description:
    "deliver one at a time, in the order of acceptance: a message whose 202 came before another was sent goes first; " +
    "one that fails holds up those behind it until it arrives or its retries are used up. What has a `deliverAt` ahead does not stand in line",
});

const optional = {
  uid: OptionalNullable(Uid("ep_", "billing")),
  description: Type.Optional(Text({ examples: ["The billing system"] })),
  disabled: Type.Optional(Type.Boolean()),
  fifo: Type.Optional(Fifo),
  eventTypes: OptionalNullable(EventTypes),
  filterTypes: OptionalNullable(Legacy(EventTypes, "eventTypes")),
  channels: OptionalNullable(Channels),
  filter: OptionalNullable(Filter),
  deliveryTimeoutMs: OptionalNullable(DeliveryTimeout),
  retrySchedule: OptionalNullable(Schedule),
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
  fifo: Fifo,
  eventTypes: Nullable(Type.Array(Name)),
  filterTypes: Nullable(Legacy(Type.Array(Name), "eventTypes")),
  channels: Nullable(Type.Array(Channel)),
  filter: Nullable(Filter),
  throttleRate: Nullable(Type.Integer({ description: "messages per second", examples: [100] })),
  rateLimit: Nullable(Legacy(Type.Integer({ examples: [100] }), "throttleRate")),
  deliveryTimeoutMs: Nullable(DeliveryTimeout),
  retrySchedule: Nullable(Schedule),
  version: Type.Integer({ deprecated: true, examples: [1] }),
  metadata: Metadata,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type EndpointOut = Static<typeof EndpointOut>;

/** Whether an endpoint is sent to: after failures in a row only single deliveries go out, to probe it. */
export const Breaker = Type.Object({
  state: Type.Union([Type.Literal("closed"), Type.Literal("open"), Type.Literal("half-open")], {
    description: "closed: deliveries go out; open: they wait; half-open: the next is the probe",
  }),
  failures: Type.Integer({ description: "in a row", examples: [0] }),
  failingSince: Nullable(Timestamp),
  until: Nullable({
    ...Timestamp,
    description:
      "of an open one: when the next probe may go out, or until when the present one is waited for",
  }),
});
export type Breaker = Static<typeof Breaker>;

/** A single endpoint: lists leave its breaker out. */
export const EndpointDetailOut = Type.Object({ ...EndpointOut.properties, breaker: Breaker });
export type EndpointDetailOut = Static<typeof EndpointDetailOut>;

export const EndpointList = ListResponse(EndpointOut);
