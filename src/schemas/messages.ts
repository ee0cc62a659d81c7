import { type Static, Type } from "@sinclair/typebox";
import { ListResponse, Nullable, Timestamp } from "./common.ts";

export const MessageOut = Type.Object({
  id: Type.String(),
  eventType: Type.String(),
  eventId: Nullable(Type.String()),
  channels: Nullable(Type.Array(Type.String())),
  payload: Type.Object({}, { description: "as it was sent, byte by byte; `{}` without content" }),
  timestamp: Timestamp,
});
export type MessageOut = Static<typeof MessageOut>;

export const MessageList = ListResponse(MessageOut);
