import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Input, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import {
  EventTypeImportOpenApiIn,
  EventTypeImportOpenApiOut,
  EventTypeOpenApiOut,
} from "../schemas/event-type-openapi.ts";
import {
  EventTypeIn,
  EventTypeList,
  EventTypeOut,
  EventTypePatch,
  EventTypeUpdate,
  RetryScheduleIn,
  RetryScheduleOut,
} from "../schemas/event-types.ts";
import { exportOpenApi, importOpenApi } from "../services/event-type-openapi.ts";
import { getEventTypeRetries, setEventTypeRetries } from "../services/event-type-retries.ts";
import {
  createEventType,
  deleteEventType,
  getEventType,
  listEventTypes,
  patchEventType,
  upsertEventType,
} from "../services/event-types.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ event_type_name: Ref });

export const eventTypeRoutes = (parts: ApiParts) =>
  api(parts, "event-types")
    .get("/event-type", ({ ctx, query }) => listEventTypes(ctx, query), {
      query: Input({
        ...listQuery(":?[a-zA-Z0-9\\-_.]+"),
        ...OrderQuery,
        include_archived: Type.Optional(Type.Boolean({ description: "those too that were deleted" })),
        with_content: Type.Optional(Type.Boolean({ description: "with schemas, which are null otherwise" })),
      }),
      response: { 200: EventTypeList, ...errorResponses },
      detail: { operationId: "v1.event-type.list", summary: "List event types" },
    })
    .post("/event-type", async ({ ctx, body, status }) => status(201, await createEventType(ctx, body)), {
      body: EventTypeIn,
      response: { 201: EventTypeOut, ...errorResponses },
      detail: { operationId: "v1.event-type.create", summary: "Create an event type, or revive it" },
    })
    .post("/event-type/import/openapi", ({ ctx, body }) => importOpenApi(ctx, body), {
      body: EventTypeImportOpenApiIn,
      response: { 200: EventTypeImportOpenApiOut, ...errorResponses },
      detail: {
        operationId: "v1.event-type.import-openapi",
        summary: "Make event types out of an OpenAPI document's webhooks",
        description:
          "Out of `webhooks`, or else `x-webhooks`. `x-svix-group-name` and `x-svix-feature-flags` of an operation are its group and flags; where they are absent, an event type keeps those that it has.",
      },
    })
    .post("/event-type/export/openapi", ({ ctx }) => exportOpenApi(ctx), {
      response: { 200: EventTypeOpenApiOut, ...errorResponses },
      detail: {
        operationId: "v1.event-type.export-openapi",
        summary: "Export event types as an OpenAPI document",
        description:
          "Those that are not archived, as its webhooks. The hosted service makes a file of it in the background; here it is the answer.",
      },
    })
    .get("/event-type/:event_type_name", ({ ctx, params }) => getEventType(ctx, params.event_type_name), {
      params,
      response: { 200: EventTypeOut, ...errorResponses },
      detail: { operationId: "v1.event-type.get", summary: "Get an event type" },
    })
    .get(
      "/event-type/:event_type_name/retry-schedule",
      ({ ctx, params }) => getEventTypeRetries(ctx, params.event_type_name),
      {
        params,
        response: { 200: RetryScheduleOut, ...errorResponses },
        detail: {
          operationId: "v1.event-type.get-retry-schedule",
          summary: "Get an event type's retry schedule",
        },
      },
    )
    .put(
      "/event-type/:event_type_name/retry-schedule",
      ({ ctx, params, body }) => setEventTypeRetries(ctx, params.event_type_name, body),
      {
        params,
        body: RetryScheduleIn,
        response: { 200: RetryScheduleOut, ...errorResponses },
        detail: {
          operationId: "v1.event-type.set-retry-schedule",
          summary: "Give an event type a retry schedule, or take it away",
        },
      },
    )
    .put(
      "/event-type/:event_type_name",
      async ({ ctx, params, body, status }) => {
        const put = await upsertEventType(ctx, params.event_type_name, body);
        return status(put.created ? 201 : 200, put.eventType);
      },
      {
        params,
        body: EventTypeUpdate,
        response: { 200: EventTypeOut, 201: EventTypeOut, ...errorResponses },
        detail: { operationId: "v1.event-type.update", summary: "Replace an event type, or create it" },
      },
    )
    .patch(
      "/event-type/:event_type_name",
      ({ ctx, params, body }) => patchEventType(ctx, params.event_type_name, body),
      {
        params,
        body: EventTypePatch,
        response: { 200: EventTypeOut, ...errorResponses },
        detail: { operationId: "v1.event-type.patch", summary: "Change some fields of an event type" },
      },
    )
    .delete(
      "/event-type/:event_type_name",
      async ({ ctx, params, query, status }) => {
        await deleteEventType(ctx, params.event_type_name, { expunge: query.expunge ?? false });
        return status(204, undefined);
      },
      {
        params,
        query: Input({ expunge: Type.Optional(Type.Boolean({ description: "leaves nothing to revive" })) }),
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.event-type.delete", summary: "Archive an event type, or expunge it" },
      },
    );
