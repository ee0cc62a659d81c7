import { Type } from "@sinclair/typebox";
import { errorResponses, Ref } from "../schemas/common.ts";
import { PollerTokenOut, RotatePollerTokenIn } from "../schemas/poller-tokens.ts";
import { getPollerToken, rotatePollerToken } from "../services/poller-tokens.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref, endpoint_id: Ref });

export const pollerTokenRoutes = (parts: ApiParts) =>
  api(parts, "poller-tokens")
    .get(
      "/auth/app/:app_id/poller/:endpoint_id/token",
      ({ ctx, params }) => getPollerToken(ctx, parts.signPollerToken, params.app_id, params.endpoint_id),
      {
        params,
        response: { 200: PollerTokenOut, ...errorResponses },
        detail: {
          operationId: "v1.authentication.get-poller-token",
          summary: "Get the token that reads an endpoint",
        },
      },
    )
    .post(
      "/auth/app/:app_id/poller/:endpoint_id/token/rotate",
      async ({ ctx, params, body, status }) =>
        status(
          201,
          await rotatePollerToken(ctx, parts.signPollerToken, params.app_id, params.endpoint_id, body),
        ),
      {
        params,
        body: RotatePollerTokenIn,
        response: { 201: PollerTokenOut, ...errorResponses },
        detail: {
          operationId: "v1.authentication.rotate-poller-token",
          summary: "Make a token that reads an endpoint, and end the one before",
          description:
            "For a receiver that polls: it may read this endpoint, as a consumer or by iterator, and nothing else.",
        },
      },
    );
