import { Type } from "@sinclair/typebox";
import { EndpointMessageList, EndpointStats } from "../schemas/attempts.ts";
import { errorResponses, Input, idCursor, listQuery, Ref } from "../schemas/common.ts";
import { ContentQuery, MessageQuery, StatusQuery, TimeQuery } from "../schemas/filters.ts";
import { MessageEndpointList } from "../schemas/message-endpoints.ts";
import { MessageCancelIn, MessageCancelOut } from "../schemas/messages.ts";
import { cancelMessage } from "../services/cancel-message.ts";
import { listEndpointMessages, listMessageEndpoints } from "../services/delivery-states.ts";
import { getEndpointStats } from "../services/endpoint-stats.ts";
import { resendMessage } from "../services/resend.ts";
import { type ApiParts, api } from "./api.ts";
import { namesInQuery } from "./query-lists.ts";

const endpointParams = Type.Object({ app_id: Ref, endpoint_id: Ref });

/** What became of messages at endpoints. */
export const messageEndpointRoutes = (parts: ApiParts) =>
  api(parts, "message-endpoints")
    .get(
      "/app/:app_id/endpoint/:endpoint_id/msg",
      ({ ctx, params, query, request }) =>
        listEndpointMessages(ctx, params.app_id, params.endpoint_id, {
          ...query,
          eventTypes: namesInQuery(request, "event_types"),
          withContent: query.with_content ?? true,
        }),
      {
        params: endpointParams,
        query: Input({
          ...listQuery(idCursor("msg_")),
          ...MessageQuery,
          ...StatusQuery,
          ...TimeQuery,
          ...ContentQuery,
        }),
        response: { 200: EndpointMessageList, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.list-attempted-messages",
          summary: "List what an endpoint was sent",
          description:
            "Newest first, of the last 90 days. A page ends early where few messages went there: go on while `done` is false.",
        },
      },
    )
    .get(
      "/app/:app_id/endpoint/:endpoint_id/stats",
      ({ ctx, params, query }) => getEndpointStats(ctx, params.app_id, params.endpoint_id, query),
      {
        params: endpointParams,
        query: Input({
          since: Type.Optional(Type.String({ description: "RFC 3339" })),
          until: Type.Optional(Type.String({ description: "RFC 3339" })),
        }),
        response: { 200: EndpointStats, ...errorResponses },
        detail: { operationId: "v1.endpoint.get-stats", summary: "Count an endpoint's attempts" },
      },
    )
    .get(
      "/app/:app_id/msg/:msg_id/endpoint",
      ({ ctx, params, query }) => listMessageEndpoints(ctx, params.app_id, params.msg_id, query),
      {
        params: Type.Object({ app_id: Ref, msg_id: Ref }),
        query: Input(listQuery(idCursor("ep_"))),
        response: { 200: MessageEndpointList, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.list-attempted-destinations",
          summary: "List where a message went",
        },
      },
    )
    .post(
      "/app/:app_id/msg/:msg_id/cancel",
      ({ ctx, params, body }) => cancelMessage(ctx, params.app_id, params.msg_id, body),
      {
        params: Type.Object({ app_id: Ref, msg_id: Ref }),
        body: MessageCancelIn,
        response: { 200: MessageCancelOut, ...errorResponses },
        detail: {
          operationId: "v1.message.cancel",
          summary: "Cancel a message's deliveries",
          description: "What waits is not sent, and what is under way is not tried again.",
        },
      },
    )
    .post(
      "/app/:app_id/msg/:msg_id/endpoint/:endpoint_id/resend",
      async ({ ctx, params, status }) => {
        await resendMessage(ctx, params.app_id, params.msg_id, params.endpoint_id);
        return status(202, {});
      },
      {
        params: Type.Object({ app_id: Ref, msg_id: Ref, endpoint_id: Ref }),
        response: { 202: Type.Object({}), ...errorResponses },
        detail: { operationId: "v1.message-attempt.resend", summary: "Send a message once more" },
      },
    );
