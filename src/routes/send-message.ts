import { Type } from "@sinclair/typebox";
import { errorResponses, Input, Ref } from "../schemas/common.ts";
import { ContentQuery } from "../schemas/filters.ts";
import { MessageIn } from "../schemas/message-in.ts";
import { EventExampleIn, MessageOut } from "../schemas/messages.ts";
import { sendExample } from "../services/send-example.ts";
import { type SendMessageParts, sendMessage } from "../services/send-message.ts";
import { type ApiParts, api } from "./api.ts";
import { idempotencyKeyOf } from "./idempotency.ts";

/** Accepting: apart from the other message routes, since it goes by the intake and not by the repos. */
export const sendMessageRoutes = (parts: ApiParts & { sending: SendMessageParts }) =>
  api(parts, "send-message")
    .post(
      "/app/:app_id/msg",
      async ({ ctx, body, query, params, rawBody, request, status }) => {
        const message = await sendMessage(ctx, parts.sending, {
          appRef: params.app_id,
          path: `/api/v1/app/${params.app_id}/msg`,
          message: body,
          rawBody,
          idempotencyKey: idempotencyKeyOf(request),
          withContent: query.with_content ?? true,
        });
        return status(202, message);
      },
      {
        params: Type.Object({ app_id: Ref }),
        query: Input(ContentQuery),
        body: MessageIn,
        response: { 202: MessageOut, ...errorResponses },
        detail: { operationId: "v1.message.create", summary: "Send a message" },
      },
    )
    .post(
      "/app/:app_id/endpoint/:endpoint_id/send-example",
      ({ ctx, body, params }) =>
        sendExample(ctx, params.app_id, params.endpoint_id, body, parts.sending.payloadRetentionDays),
      {
        params: Type.Object({ app_id: Ref, endpoint_id: Ref }),
        body: EventExampleIn,
        response: { 200: MessageOut, ...errorResponses },
        detail: {
          operationId: "v1.endpoint.send-example",
          summary: "Send an example of an event",
          description: "To this endpoint only, whatever it filters by.",
        },
      },
    );
