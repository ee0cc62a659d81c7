import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Input, idCursor, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import {
  IntegrationIn,
  IntegrationKeyOut,
  IntegrationList,
  IntegrationOut,
} from "../schemas/integrations.ts";
import {
  createIntegration,
  deleteIntegration,
  getIntegration,
  getIntegrationKey,
  listIntegrations,
  rotateIntegrationKey,
  updateIntegration,
} from "../services/integrations.ts";
import { type ApiParts, api } from "./api.ts";

const appParams = Type.Object({ app_id: Ref });
const params = Type.Object({ app_id: Ref, integ_id: Ref });

export const integrationRoutes = (parts: ApiParts) =>
  api(parts, "integrations")
    .get(
      "/app/:app_id/integration",
      ({ ctx, params, query }) => listIntegrations(ctx, params.app_id, query),
      {
        params: appParams,
        query: Input({ ...listQuery(idCursor("integ_")), ...OrderQuery }),
        response: { 200: IntegrationList, ...errorResponses },
        detail: { operationId: "v1.integration.list", summary: "List an application's integrations" },
      },
    )
    .post(
      "/app/:app_id/integration",
      async ({ ctx, params, body, status }) => status(201, await createIntegration(ctx, params.app_id, body)),
      {
        params: appParams,
        body: IntegrationIn,
        response: { 201: IntegrationOut, ...errorResponses },
        detail: { operationId: "v1.integration.create", summary: "Create an integration" },
      },
    )
    .get(
      "/app/:app_id/integration/:integ_id",
      ({ ctx, params }) => getIntegration(ctx, params.app_id, params.integ_id),
      {
        params,
        response: { 200: IntegrationOut, ...errorResponses },
        detail: { operationId: "v1.integration.get", summary: "Get an integration" },
      },
    )
    .put(
      "/app/:app_id/integration/:integ_id",
      ({ ctx, params, body }) => updateIntegration(ctx, params.app_id, params.integ_id, body),
      {
        params,
        body: IntegrationIn,
        response: { 200: IntegrationOut, ...errorResponses },
        detail: { operationId: "v1.integration.update", summary: "Replace an integration" },
      },
    )
    .delete(
      "/app/:app_id/integration/:integ_id",
      async ({ ctx, params, status }) => {
        await deleteIntegration(ctx, params.app_id, params.integ_id);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.integration.delete", summary: "Delete an integration, and its key" },
      },
    )
    .get(
      "/app/:app_id/integration/:integ_id/key",
      ({ ctx, params }) => getIntegrationKey(ctx, parts.signIntegrationKey, params.app_id, params.integ_id),
      {
        params,
        response: { 200: IntegrationKeyOut, ...errorResponses },
        detail: { operationId: "v1.integration.get-key", summary: "Get an integration's key" },
      },
    )
    .post(
      "/app/:app_id/integration/:integ_id/key/rotate",
      ({ ctx, params }) =>
        rotateIntegrationKey(ctx, parts.signIntegrationKey, params.app_id, params.integ_id),
      {
        params,
        response: { 200: IntegrationKeyOut, ...errorResponses },
        detail: {
          operationId: "v1.integration.rotate-key",
          summary: "Give an integration another key; the one before ends",
        },
      },
    );
