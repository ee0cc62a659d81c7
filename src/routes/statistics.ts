import { errorResponses } from "../schemas/common.ts";
import { AggregateEventTypesOut, AppUsageStatsIn, AppUsageStatsOut } from "../schemas/usage.ts";
import { aggregateEventTypes, countAppUsage } from "../services/usage.ts";
import { type ApiParts, api } from "./api.ts";

export const statisticsRoutes = (parts: ApiParts) =>
  api(parts, "statistics")
    .post("/stats/usage/app", async ({ ctx, body, status }) => status(202, await countAppUsage(ctx, body)), {
      body: AppUsageStatsIn,
      response: { 202: AppUsageStatsOut, ...errorResponses },
      detail: {
        operationId: "v1.statistics.aggregate-app-stats",
        summary: "Count what applications sent: a background task",
      },
    })
    .put("/stats/usage/event-types", async ({ ctx, status }) => status(202, await aggregateEventTypes(ctx)), {
      response: { 202: AggregateEventTypesOut, ...errorResponses },
      detail: {
        operationId: "v1.statistics.aggregate-event-types",
        summary: "List what event types applications' endpoints ask for: a background task",
      },
    });
