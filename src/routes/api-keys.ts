import { Type } from "@sinclair/typebox";
import { ApiKeyCreatedOut, ApiKeyExpireIn, ApiKeyIn, ApiKeyList, ApiKeyOut } from "../schemas/api-keys.ts";
import { Empty, errorResponses, Input, idCursor, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import { createApiKey, endApiKey, getApiKey, listApiKeys } from "../services/api-keys.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ key_id: Ref });

export const apiKeyRoutes = (parts: ApiParts) =>
  api(parts, "api-keys")
    .get("/auth/api-key", ({ ctx, query }) => listApiKeys(ctx, query), {
      query: Input({ ...listQuery(idCursor("key_")), ...OrderQuery }),
      response: { 200: ApiKeyList, ...errorResponses },
      detail: { operationId: "v1.api-key.list", summary: "List API keys" },
    })
    .post("/auth/api-key", async ({ ctx, body, status }) => status(201, await createApiKey(ctx, body)), {
      body: ApiKeyIn,
      response: { 201: ApiKeyCreatedOut, ...errorResponses },
      detail: { operationId: "v1.api-key.create", summary: "Create an API key" },
    })
    .get("/auth/api-key/:key_id", ({ ctx, params }) => getApiKey(ctx, params.key_id), {
      params,
      response: { 200: ApiKeyOut, ...errorResponses },
      detail: { operationId: "v1.api-key.get", summary: "Get an API key" },
    })
    .delete(
      "/auth/api-key/:key_id",
      async ({ ctx, params, status }) => {
        await endApiKey(ctx, params.key_id);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.api-key.delete", summary: "Revoke an API key" },
      },
    )
    .post(
      "/auth/api-key/:key_id/expire",
      async ({ ctx, params, body, status }) => {
        await endApiKey(ctx, params.key_id, body.expiry ?? 0);
        return status(204, undefined);
      },
      {
        params,
        body: ApiKeyExpireIn,
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: "v1.api-key.expire",
          summary: "Revoke an API key, at once or after a while",
        },
      },
    );
