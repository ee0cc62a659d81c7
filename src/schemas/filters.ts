import { Type } from "@sinclair/typebox";
import type { IdPrefix } from "../lib/ids.ts";
import { Channel } from "./common.ts";

/** Where a list over ids goes on: an id as it is, or "-" and an id to go back. */
export const IteratorOf = (prefix: IdPrefix) =>
  Type.Optional(
    Type.String({ pattern: `^-?${prefix}[0-9A-Za-z]{27}$`, description: "where the page before ended" }),
  );

export const TimeQuery = {
  before: Type.Optional(Type.String({ description: "older than this; RFC 3339" })),
  after: Type.Optional(Type.String({ description: "not older than this; RFC 3339" })),
};
export const ContentQuery = {
  with_content: Type.Optional(Type.Boolean({ description: "false leaves the payload or the response out" })),
};
/** `event_types` comes in several spellings that only the URL shows: see routes/query-lists.ts. */
export const MessageQuery = {
  channel: Type.Optional(Channel),
  event_types: Type.Optional(Type.String({ description: "names, with commas between" })),
};
