import { type Static, Type } from "@sinclair/typebox";
import { Channel, Id, ListResponse, Name, Nullable, Timestamp } from "./common.ts";

export const MessageOut = Type.Object({
  id: Id("msg_"),
  eventType: Name,
  eventId: Nullable(Type.String({ examples: ["signup-ada"] })),
  channels: Nullable(Type.Array(Channel)),
  payload: Type.Object(
    {},
    { description: "as it was sent, byte by byte; `{}` without content", examples: [{ user: "ada" }] },
  ),
  timestamp: Timestamp,
});
export type MessageOut = Static<typeof MessageOut>;

export const MessageList = ListResponse(MessageOut);
