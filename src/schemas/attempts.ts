import { type Static, Type } from "@sinclair/typebox";
import { Id, ListResponse, Nullable, Timestamp } from "./common.ts";
import { MessageOut } from "./messages.ts";

const MessageStatus = Type.Integer({
  minimum: 0,
  maximum: 4,
  description: "0 success, 1 pending, 2 fail, 3 sending, 4 canceled",
});
export const MessageStatusText = Type.Union([
  Type.Literal("success"),
  Type.Literal("pending"),
  Type.Literal("fail"),
  Type.Literal("sending"),
  Type.Literal("canceled"),
]);
export type MessageStatusText = Static<typeof MessageStatusText>;

export const MessageAttemptOut = Type.Object({
  id: Id("atmpt_"),
  msgId: Id("msg_"),
  endpointId: Id("ep_"),
  url: Type.String({ examples: ["https://example.com/webhooks"] }),
  status: MessageStatus,
  statusText: MessageStatusText,
  triggerType: Type.Integer({ minimum: 0, maximum: 1, description: "0 scheduled, 1 manual" }),
  response: Type.String({ description: "what the receiver said, or why it said nothing", examples: ["ok"] }),
  responseStatusCode: Type.Integer({ description: "0 when no response came", examples: [200] }),
  responseDurationMs: Type.Integer({ examples: [42] }),
  timestamp: Timestamp,
  msg: Type.Optional(Nullable(MessageOut)),
});
export type MessageAttemptOut = Static<typeof MessageAttemptOut>;
export const MessageAttemptList = ListResponse(MessageAttemptOut);

export const AttemptCountOut = Type.Object({
  count: Type.Integer({ examples: [42] }),
  approximated: Type.Boolean({
    description: "there are more than 10,000, and only the newest 10,000 were looked at",
  }),
});
export type AttemptCountOut = Static<typeof AttemptCountOut>;

const SentHeaders = Type.Record(Type.String(), Type.String(), {
  description: "but for those of the transport; of a success those that follow from the message",
  examples: [{ "content-type": "application/json", "x-team": "billing" }],
});
const ResponseHeaders = Type.Array(Type.Array(Type.String(), { minItems: 2, maxItems: 2 }), {
  description: "name and value, each name once; null when no response came, and of a success",
  examples: [[["retry-after", "60"]]],
});

export const MessageAttemptHeadersOut = Type.Object({
  sentHeaders: SentHeaders,
  responseHeaders: Nullable(ResponseHeaders),
  sensitive: Type.Array(Type.String(), {
    description: "names of those whose values are not shown",
    examples: [["authorization"]],
  }),
});
export type MessageAttemptHeadersOut = Static<typeof MessageAttemptHeadersOut>;

/** How far a message has come at an endpoint. */
export const DeliveryStatus = {
  status: MessageStatus,
  statusText: MessageStatusText,
  nextAttempt: Nullable(Timestamp),
};

export const EndpointMessageOut = Type.Object({ ...MessageOut.properties, ...DeliveryStatus });
export type EndpointMessageOut = Static<typeof EndpointMessageOut>;
export const EndpointMessageList = ListResponse(EndpointMessageOut);

export const EndpointStats = Type.Object({
  success: Type.Integer(),
  pending: Type.Integer(),
  sending: Type.Integer(),
  fail: Type.Integer(),
  canceled: Type.Integer(),
});
export type EndpointStats = Static<typeof EndpointStats>;
