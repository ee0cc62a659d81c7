import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Ref } from "../schemas/common.ts";
import {
  EndpointHeadersIn,
  EndpointHeadersOut,
  EndpointHeadersPatchIn,
} from "../schemas/endpoint-headers.ts";
import {
  getEndpointHeaders,
  patchEndpointHeaders,
  replaceEndpointHeaders,
} from "../services/endpoint-headers.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref, endpoint_id: Ref });
const path = "/app/:app_id/endpoint/:endpoint_id/headers";

export const endpointHeaderRoutes = (parts: ApiParts) =>
  api(parts, "endpoint-headers")
    .get(path, ({ ctx, params }) => getEndpointHeaders(ctx, params.app_id, params.endpoint_id), {
      params,
      response: { 200: EndpointHeadersOut, ...errorResponses },
      detail: { operationId: "v1.endpoint.get-headers", summary: "Get an endpoint's headers" },
    })
    .put(
      path,
      async ({ ctx, params, body, status }) => {
        await replaceEndpointHeaders(ctx, params.app_id, params.endpoint_id, body.headers);
        return status(204, undefined);
      },
      {
        params,
        body: EndpointHeadersIn,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.endpoint.update-headers", summary: "Replace an endpoint's headers" },
      },
    )
    .patch(
      path,
      async ({ ctx, params, body, status }) => {
        await patchEndpointHeaders(ctx, params.app_id, params.endpoint_id, body);
        return status(204, undefined);
      },
      {
        params,
        body: EndpointHeadersPatchIn,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.endpoint.patch-headers", summary: "Change some of an endpoint's headers" },
      },
    );
