import { type Static, Type } from "@sinclair/typebox";
import {
  Channel,
  Id,
  Input,
  ListResponse,
  Name,
  Nullable,
  OptionalNullable,
  Ref,
  Tag,
  Timestamp,
} from "./common.ts";

export const MessageOut = Type.Object({
  id: Id("msg_"),
  eventType: Name,
  eventId: Nullable(Type.String({ examples: ["signup-ada"] })),
  channels: Nullable(Type.Array(Channel)),
  tags: Nullable(Type.Array(Tag)),
  deliverAt: Nullable(Timestamp),
  payload: Type.Object(
    {},
    { description: "as it was sent, byte by byte; `{}` without content", examples: [{ user: "ada" }] },
  ),
  timestamp: Timestamp,
});
export type MessageOut = Static<typeof MessageOut>;

export const MessageList = ListResponse(MessageOut);

export const EventExampleIn = Input({
  eventType: { ...Name, description: "`svix.ping`, or a type whose schema has an example" },
  exampleIndex: Type.Optional(
    Type.Integer({ minimum: 0, description: "which of the schema's examples; the first unless told" }),
  ),
});
export type EventExampleIn = Static<typeof EventExampleIn>;

export const MessageCancelIn = Input({
  endpointIds: OptionalNullable(
    Type.Array(Ref, {
      minItems: 1,
      maxItems: 50,
      uniqueItems: true,
      description: "ids or uids; all endpoints unless told",
      examples: [["one"]],
    }),
  ),
});
export type MessageCancelIn = Static<typeof MessageCancelIn>;

export const MessageCancelOut = Type.Object({
  canceled: Type.Integer({ description: "deliveries that were taken out of the queue" }),
  sending: Type.Integer({ description: "how many of these were under way: they may still arrive" }),
});
export type MessageCancelOut = Static<typeof MessageCancelOut>;

export const MessagePrecheckIn = Input({
  eventType: Name,
  channels: OptionalNullable(Type.Array(Channel, { minItems: 1, maxItems: 10, uniqueItems: true })),
});
export type MessagePrecheckIn = Static<typeof MessagePrecheckIn>;

export const MessagePrecheckOut = Type.Object({
  active: Type.Boolean({
    description: "some endpoint that is not disabled would be sent it, if its filter lets the payload pass",
  }),
});
export type MessagePrecheckOut = Static<typeof MessagePrecheckOut>;
