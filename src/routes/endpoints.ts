import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Input, idCursor, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import {
  EndpointDetailOut,
  EndpointIn,
  EndpointList,
  EndpointOut,
  EndpointPatch,
  EndpointUpdate,
} from "../schemas/endpoints.ts";
import {
  createEndpoint,
  deleteEndpoint,
  getEndpoint,
  listEndpoints,
  patchEndpoint,
  upsertEndpoint,
} from "../services/endpoints.ts";
import { type ApiParts, api } from "./api.ts";

const appParams = Type.Object({ app_id: Ref });
const params = Type.Object({ app_id: Ref, endpoint_id: Ref });

export const endpointRoutes = (parts: ApiParts) =>
  api(parts, "endpoints")
    .get("/app/:app_id/endpoint", ({ ctx, params, query }) => listEndpoints(ctx, params.app_id, query), {
      params: appParams,
      query: Input({ ...listQuery(idCursor("ep_")), ...OrderQuery }),
      response: { 200: EndpointList, ...errorResponses },
      detail: { operationId: "v1.endpoint.list", summary: "List endpoints" },
    })
    .post(
      "/app/:app_id/endpoint",
      async ({ ctx, params, body, status }) => status(201, await createEndpoint(ctx, params.app_id, body)),
      {
        params: appParams,
        body: EndpointIn,
        response: { 201: EndpointOut, ...errorResponses },
        detail: { operationId: "v1.endpoint.create", summary: "Create an endpoint" },
      },
    )
    .get(
      "/app/:app_id/endpoint/:endpoint_id",
      ({ ctx, params }) => getEndpoint(ctx, params.app_id, params.endpoint_id),
      {
        params,
        response: { 200: EndpointDetailOut, ...errorResponses },
        detail: { operationId: "v1.endpoint.get", summary: "Get an endpoint" },
      },
    )
    .put(
      "/app/:app_id/endpoint/:endpoint_id",
      async ({ ctx, params, body, status }) => {
        const put = await upsertEndpoint(ctx, params.app_id, params.endpoint_id, body);
        return status(put.created ? 201 : 200, put.endpoint);
      },
      {
        params,
        body: EndpointUpdate,
        response: { 200: EndpointOut, 201: EndpointOut, ...errorResponses },
        detail: { operationId: "v1.endpoint.update", summary: "Replace an endpoint, or create it" },
      },
    )
    .patch(
      "/app/:app_id/endpoint/:endpoint_id",
      ({ ctx, params, body }) => patchEndpoint(ctx, params.app_id, params.endpoint_id, body),
      {
        params,
        body: EndpointPatch,
        response: { 200: EndpointOut, ...errorResponses },
        detail: { operationId: "v1.endpoint.patch", summary: "Change some fields of an endpoint" },
      },
    )
    .delete(
      "/app/:app_id/endpoint/:endpoint_id",
      async ({ ctx, params, status }) => {
        await deleteEndpoint(ctx, params.app_id, params.endpoint_id);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.endpoint.delete", summary: "Delete an endpoint" },
      },
    );
