import { Type } from "@sinclair/typebox";
import { Channel, QueryInteger, Tag } from "./common.ts";

export const TimeQuery = {
  before: Type.Optional(Type.String({ description: "older than this; RFC 3339" })),
  after: Type.Optional(Type.String({ description: "not older than this; RFC 3339" })),
};
export const ContentQuery = {
  with_content: Type.Optional(Type.Boolean({ description: "false leaves the payload or the response out" })),
};
/** `event_types` comes in several spellings that only the URL shows: see routes/query-lists.ts. */
export const MessageQuery = {
  channel: Type.Optional({ ...Channel, description: "only what was sent to this channel" }),
  tag: Type.Optional({ ...Tag, description: "only what has this tag" }),
  event_types: Type.Optional(Type.String({ description: "names, with commas between" })),
};
export const StatusQuery = {
  status: Type.Optional(
    QueryInteger("status", {
      minimum: 0,
      maximum: 4,
      description: "0 success, 1 pending, 2 fail, 3 sending, 4 canceled",
    }),
  ),
};
export const AttemptQuery = {
  ...MessageQuery,
  ...StatusQuery,
  status_code_class: Type.Optional(
    QueryInteger("status_code_class", { minimum: 0, maximum: 500, description: "0, 100, 200, … 500" }),
  ),
};
