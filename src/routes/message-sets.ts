import { Type } from "@sinclair/typebox";
import { errorResponses, Ref } from "../schemas/common.ts";
import { BulkExpungeContentsIn, BulkExpungeContentsOut, ExpungeAllContentsOut } from "../schemas/expunge.ts";
import { MessagePrecheckIn, MessagePrecheckOut } from "../schemas/messages.ts";
import { precheckMessage } from "../services/precheck.ts";
import { bulkExpungeContents, expungeAllContents } from "../services/purges.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref });

/** What is asked and done about an application's messages as a whole. */
export const messageSetRoutes = (parts: ApiParts) =>
  api(parts, "message-sets")
    .post(
      "/app/:app_id/msg/precheck/active",
      ({ ctx, params, body }) => precheckMessage(ctx, params.app_id, body),
      {
        params,
        body: MessagePrecheckIn,
        response: { 200: MessagePrecheckOut, ...errorResponses },
        detail: {
          operationId: "v1.message.precheck",
          summary: "Ask whether any endpoint wants a message",
        },
      },
    )
    .post(
      "/app/:app_id/msg/bulk-expunge",
      ({ ctx, params, body }) => bulkExpungeContents(ctx, params.app_id, body),
      {
        params,
        body: BulkExpungeContentsIn,
        response: { 200: BulkExpungeContentsOut, ...errorResponses },
        detail: { operationId: "v1.message.bulk-expunge-content", summary: "Delete some messages' payloads" },
      },
    )
    .post(
      "/app/:app_id/msg/expunge-all-contents",
      async ({ ctx, params, status }) => status(202, await expungeAllContents(ctx, params.app_id)),
      {
        params,
        response: { 202: ExpungeAllContentsOut, ...errorResponses },
        detail: {
          operationId: "v1.message.expunge-all-contents",
          summary: "Delete all payloads of an application: a background task",
        },
      },
    );
