import { type Static, Type } from "@sinclair/typebox";
import { Id, Input, Ref, Timestamp } from "./common.ts";

export const BulkExpungeContentsIn = Input({
  ids: Type.Optional(
    Type.Array(Ref, {
      maxItems: 1_000,
      uniqueItems: true,
      description: "ids or eventIds",
      examples: [["signup-ada"]],
    }),
  ),
});
export type BulkExpungeContentsIn = Static<typeof BulkExpungeContentsIn>;

const Expunged = Type.Union([Type.Literal("expunged"), Type.Literal("not-found")]);

export const BulkExpungeContentsOut = Type.Object({
  results: Type.Record(Type.String(), Expunged, {
    description: "by the names that were given",
    examples: [{ "signup-ada": "expunged" }],
  }),
});
export type BulkExpungeContentsOut = Static<typeof BulkExpungeContentsOut>;

export const ExpungeAllContentsOut = Type.Object({
  id: Id("qtask_"),
  status: Type.Union([Type.Literal("running"), Type.Literal("finished"), Type.Literal("failed")]),
  task: Type.Literal("application.purge_content"),
  updatedAt: Timestamp,
});
export type ExpungeAllContentsOut = Static<typeof ExpungeAllContentsOut>;
