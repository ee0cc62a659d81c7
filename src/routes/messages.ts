import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Input, idCursor, listQuery, Ref } from "../schemas/common.ts";
import { ContentQuery, MessageQuery, TimeQuery } from "../schemas/filters.ts";
import { MessageList, MessageOut } from "../schemas/messages.ts";
import { deleteMessageContent, getMessage, listMessages } from "../services/messages.ts";
import { type ApiParts, api } from "./api.ts";
import { namesInQuery } from "./query-lists.ts";

const appParams = Type.Object({ app_id: Ref });
const params = Type.Object({ app_id: Ref, msg_id: Ref });

export const messageRoutes = (parts: ApiParts) =>
  api(parts, "messages")
    .get(
      "/app/:app_id/msg",
      ({ ctx, params, query, request }) =>
        listMessages(ctx, params.app_id, {
          ...query,
          eventTypes: namesInQuery(request, "event_types"),
          withContent: query.with_content ?? true,
        }),
      {
        params: appParams,
        query: Input({
          ...listQuery(idCursor("msg_")),
          ...MessageQuery,
          ...TimeQuery,
          ...ContentQuery,
        }),
        response: { 200: MessageList, ...errorResponses },
        detail: {
          operationId: "v1.message.list",
          summary: "List messages",
          description:
            "Newest first, of the last 90 days. A rare filter can end a page early: go on while `done` is false.",
        },
      },
    )
    .get(
      "/app/:app_id/msg/:msg_id",
      ({ ctx, params, query }) => getMessage(ctx, params.app_id, params.msg_id, query.with_content ?? true),
      {
        params,
        query: Input(ContentQuery),
        response: { 200: MessageOut, ...errorResponses },
        detail: { operationId: "v1.message.get", summary: "Get a message" },
      },
    )
    .delete(
      "/app/:app_id/msg/:msg_id/content",
      async ({ ctx, params, status }) => {
        await deleteMessageContent(ctx, params.app_id, params.msg_id);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.message.expunge-content", summary: "Delete a message's payload" },
      },
    );
