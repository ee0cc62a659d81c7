import { type Static, Type } from "@sinclair/typebox";
import {
  AttemptCountOut,
  MessageAttemptHeadersOut,
  MessageAttemptList,
  MessageAttemptOut,
} from "../schemas/attempts.ts";
import { Empty, errorResponses, Input, idCursor, listQuery, Ref } from "../schemas/common.ts";
import { AttemptQuery, ContentQuery, TimeQuery } from "../schemas/filters.ts";
import { getAttemptHeaders } from "../services/attempt-headers.ts";
import {
  countAttemptsByEndpoint,
  countAttemptsByMessage,
  deleteAttemptContent,
  getAttempt,
  listAttemptsByEndpoint,
  listAttemptsByMessage,
} from "../services/attempts.ts";
import { type ApiParts, api, type RequestState } from "./api.ts";
import { namesInQuery } from "./query-lists.ts";

const query = Input({
  ...listQuery(idCursor("atmpt_")),
  ...AttemptQuery,
  ...TimeQuery,
  ...ContentQuery,
  with_msg: Type.Optional(Type.Boolean({ description: "each with its message, as `msg`" })),
});
const atEndpoint = {
  endpoint_id: Type.Optional(Type.String({ description: "only those at this endpoint" })),
};
const byMessage = Input({ ...query.properties, ...atEndpoint });
const counted = { ...AttemptQuery, ...TimeQuery };
const messageParams = Type.Object({ app_id: Ref, msg_id: Ref });
const attemptParams = Type.Object({ app_id: Ref, msg_id: Ref, attempt_id: Ref });
const description =
  "Newest first, of the last 90 days. A rare filter can end a page early: go on while `done` is false.";

const more = (request: Request, query: { with_content?: boolean; with_msg?: boolean }) => ({
  eventTypes: namesInQuery(request, "event_types"),
  withContent: query.with_content ?? true,
  withMessage: query.with_msg ?? false,
});

/** A message's attempts: all of them, or those at one endpoint. */
const listOfMessage = (
  {
    ctx,
    params,
    query: given,
    request,
  }: Pick<RequestState, "ctx"> & {
    params: Static<typeof messageParams>;
    query: Static<typeof query>;
    request: Request;
  },
  endpointRef: string | null,
) =>
  listAttemptsByMessage(ctx, params.app_id, params.msg_id, {
    ...given,
    ...more(request, given),
    endpointRef,
  });

export const attemptRoutes = (parts: ApiParts) =>
  api(parts, "attempts")
    .get(
      "/app/:app_id/attempt/endpoint/:endpoint_id",
      ({ ctx, params, query, request }) =>
        listAttemptsByEndpoint(ctx, params.app_id, params.endpoint_id, {
          ...query,
          ...more(request, query),
        }),
      {
        params: Type.Object({ app_id: Ref, endpoint_id: Ref }),
        query,
        response: { 200: MessageAttemptList, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.list-by-endpoint",
          summary: "List attempts at an endpoint",
          description,
        },
      },
    )
    .get(
      "/app/:app_id/attempt/msg/:msg_id",
      (context) => listOfMessage(context, context.query.endpoint_id ?? null),
      {
        params: messageParams,
        query: byMessage,
        response: { 200: MessageAttemptList, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.list-by-msg",
          summary: "List attempts of a message",
          description,
        },
      },
    )
    .get(
      "/app/:app_id/attempt/endpoint/:endpoint_id/count",
      ({ ctx, params, query, request }) =>
        countAttemptsByEndpoint(ctx, params.app_id, params.endpoint_id, {
          ...query,
          eventTypes: namesInQuery(request, "event_types"),
        }),
      {
        params: Type.Object({ app_id: Ref, endpoint_id: Ref }),
        query: Input(counted),
        response: { 200: AttemptCountOut, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.count-by-endpoint",
          summary: "Count attempts at an endpoint",
        },
      },
    )
    .get(
      "/app/:app_id/attempt/msg/:msg_id/count",
      ({ ctx, params, query, request }) =>
        countAttemptsByMessage(ctx, params.app_id, params.msg_id, {
          ...query,
          eventTypes: namesInQuery(request, "event_types"),
          endpointRef: query.endpoint_id ?? null,
        }),
      {
        params: messageParams,
        query: Input({ ...counted, ...atEndpoint }),
        response: { 200: AttemptCountOut, ...errorResponses },
        detail: { operationId: "v1.message-attempt.count-by-msg", summary: "Count attempts of a message" },
      },
    )
    .get(
      "/app/:app_id/msg/:msg_id/attempt/:attempt_id",
      ({ ctx, params }) => getAttempt(ctx, params.app_id, params.msg_id, params.attempt_id),
      {
        params: attemptParams,
        response: { 200: MessageAttemptOut, ...errorResponses },
        detail: { operationId: "v1.message-attempt.get", summary: "Get an attempt" },
      },
    )
    .get(
      "/app/:app_id/msg/:msg_id/attempt/:attempt_id/headers",
      ({ ctx, params }) => getAttemptHeaders(ctx, params.app_id, params.msg_id, params.attempt_id),
      {
        params: attemptParams,
        response: { 200: MessageAttemptHeadersOut, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.get-headers",
          summary: "Get an attempt's headers",
          description:
            "Kept of attempts that failed, up to 8 KB each way. Of a success the endpoint's own headers, the signatures and the answer's headers are not kept.",
        },
      },
    )
    .delete(
      "/app/:app_id/msg/:msg_id/attempt/:attempt_id/content",
      async ({ ctx, params, status }) => {
        await deleteAttemptContent(ctx, params.app_id, params.msg_id, params.attempt_id);
        return status(204, undefined);
      },
      {
        params: attemptParams,
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: "v1.message-attempt.expunge-content",
          summary: "Delete what the receiver answered",
        },
      },
    )
    // The two lists of the first SDKs, which no document shows any more.
    .get(
      "/app/:app_id/msg/:msg_id/attempt",
      (context) => listOfMessage(context, context.query.endpoint_id ?? null),
      {
        params: messageParams,
        query: byMessage,
        response: { 200: MessageAttemptList, ...errorResponses },
        detail: { hide: true },
      },
    )
    .get(
      "/app/:app_id/msg/:msg_id/endpoint/:endpoint_id/attempt",
      (context) => listOfMessage(context, context.params.endpoint_id),
      {
        params: Type.Object({ app_id: Ref, msg_id: Ref, endpoint_id: Ref }),
        query,
        response: { 200: MessageAttemptList, ...errorResponses },
        detail: { hide: true },
      },
    );
