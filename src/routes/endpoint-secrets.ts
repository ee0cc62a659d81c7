import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Ref } from "../schemas/common.ts";
import { EndpointSecretOut, EndpointSecretRotateIn } from "../schemas/endpoint-secrets.ts";
import { getEndpointSecret, rotateEndpointSecret } from "../services/endpoint-secrets.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref, endpoint_id: Ref });
const path = "/app/:app_id/endpoint/:endpoint_id/secret";

export const endpointSecretRoutes = (parts: ApiParts) =>
  api(parts, "endpoint-secrets")
    .get(path, ({ ctx, params }) => getEndpointSecret(ctx, params.app_id, params.endpoint_id), {
      params,
      response: { 200: EndpointSecretOut, ...errorResponses },
      detail: { operationId: "v1.endpoint.get-secret", summary: "Get an endpoint's secret" },
    })
    .post(
      `${path}/rotate`,
      async ({ ctx, params, body, status }) => {
        await rotateEndpointSecret(ctx, params.app_id, params.endpoint_id, body);
        return status(204, undefined);
      },
      {
        params,
        body: EndpointSecretRotateIn,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.endpoint.rotate-secret", summary: "Replace an endpoint's secret" },
      },
    );
