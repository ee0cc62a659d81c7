import { type Static, Type } from "@sinclair/typebox";
import { Id, Input, OptionalNullable, Ref, Timestamp } from "./common.ts";

export const AppUsageStatsIn = Input({
  since: Timestamp,
  until: Timestamp,
  appIds: OptionalNullable(
    Type.Array(Ref, {
      maxItems: 10_000,
      description: "ids or uids; all applications unless told",
      examples: [["customer-42"]],
    }),
  ),
});
export type AppUsageStatsIn = Static<typeof AppUsageStatsIn>;

const task = <K extends string>(kind: K) => ({
  id: Id("qtask_"),
  status: Type.Union([Type.Literal("running"), Type.Literal("finished"), Type.Literal("failed")]),
  task: Type.Literal(kind),
  updatedAt: Timestamp,
});

export const AppUsageStatsOut = Type.Object({
  ...task("application.stats"),
  unresolvedAppIds: Type.Array(Type.String(), { description: "what names no application" }),
});
export type AppUsageStatsOut = Static<typeof AppUsageStatsOut>;

export const AggregateEventTypesOut = Type.Object(task("event-type.aggregate"));
export type AggregateEventTypesOut = Static<typeof AggregateEventTypesOut>;
