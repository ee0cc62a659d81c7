import { type Static, Type } from "@sinclair/typebox";
import { Channel, Input, Name, Nullable, Pattern, QueryInteger, Timestamp } from "./common.ts";
import { MessageOut } from "./messages.ts";

const Iterator = Type.String({ description: "leads on, also to what is still to come" });

export const PollingEndpointMessageOut = Type.Composite([
  MessageOut,
  Type.Object({
    headers: Nullable(
      Type.Record(Type.String(), Type.String(), {
        description: "`content-type` of a raw payload; it comes as `rawPayload` unless it is a JSON object",
        examples: [{ "content-type": "application/json" }],
      }),
    ),
  }),
]);

export const PollingEndpointOut = Type.Object({
  data: Type.Array(PollingEndpointMessageOut, { description: "the oldest first" }),
  done: Type.Boolean({ description: "there are no more at the moment" }),
  iterator: Iterator,
});
export type PollingEndpointOut = Static<typeof PollingEndpointOut>;

export const ConsumerPollQuery = {
  limit: Type.Optional(
    QueryInteger("limit", { minimum: 1, maximum: 250, description: "at most this many, 50 unless told" }),
  ),
  iterator: Type.Optional(
    Type.String({
      ...Pattern("^msg_[0-9A-Za-z]{27}(\\.\\d{1,9})?$", "must be the iterator of an answer before"),
      description: "of the answer before",
    }),
  ),
};
export const PollQuery = {
  ...ConsumerPollQuery,
  event_type: Type.Optional({ ...Name, description: "only this event type" }),
  channel: Type.Optional({ ...Channel, description: "only what was sent to this channel" }),
  after: Type.Optional(Type.String({ description: "not older than this; RFC 3339" })),
};

export const PollingEndpointConsumerSeekIn = Input({
  after: { ...Timestamp, description: "where it goes on: not with what is older than this" },
});
export type PollingEndpointConsumerSeekIn = Static<typeof PollingEndpointConsumerSeekIn>;

export const PollingEndpointConsumerSeekOut = Type.Object({ iterator: Iterator });
export type PollingEndpointConsumerSeekOut = Static<typeof PollingEndpointConsumerSeekOut>;
