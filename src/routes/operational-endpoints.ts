import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Input, idCursor, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import { EndpointHeadersIn, EndpointHeadersOut } from "../schemas/endpoint-headers.ts";
import { EndpointSecretOut, EndpointSecretRotateIn } from "../schemas/endpoint-secrets.ts";
import {
  OperationalEndpointDetailOut,
  OperationalEndpointIn,
  OperationalEndpointList,
  OperationalEndpointOut,
  OperationalEndpointUpdate,
} from "../schemas/operational-endpoints.ts";
import * as operational from "../services/operational-endpoints.ts";
import { type ApiParts, api } from "./api.ts";

const base = "/operational-webhook/endpoint";
const params = Type.Object({ endpoint_id: Ref });
const id = (verb: string) => `v1.operational-webhook.endpoint.${verb}`;

export const operationalEndpointRoutes = (parts: ApiParts) =>
  api(parts, "operational-endpoints")
    .get(base, ({ ctx, query }) => operational.listOperationalEndpoints(ctx, query), {
      query: Input({ ...listQuery(idCursor("ep_")), ...OrderQuery }),
      response: { 200: OperationalEndpointList, ...errorResponses },
      detail: { operationId: id("list"), summary: "List operational webhook endpoints" },
    })
    .post(
      base,
      async ({ ctx, body, status }) => status(201, await operational.createOperationalEndpoint(ctx, body)),
      {
        body: OperationalEndpointIn,
        response: { 201: OperationalEndpointOut, ...errorResponses },
        detail: {
          operationId: id("create"),
          summary: "Create an endpoint that is told what happens to your own",
        },
      },
    )
    .get(
      `${base}/:endpoint_id`,
      ({ ctx, params }) => operational.getOperationalEndpoint(ctx, params.endpoint_id),
      {
        params,
        response: { 200: OperationalEndpointDetailOut, ...errorResponses },
        detail: { operationId: id("get"), summary: "Get an operational webhook endpoint" },
      },
    )
    .put(
      `${base}/:endpoint_id`,
      async ({ ctx, params, body, status }) => {
        const put = await operational.upsertOperationalEndpoint(ctx, params.endpoint_id, body);
        return status(put.created ? 201 : 200, put.endpoint);
      },
      {
        params,
        body: OperationalEndpointUpdate,
        response: { 200: OperationalEndpointOut, 201: OperationalEndpointOut, ...errorResponses },
        detail: {
          operationId: id("update"),
          summary: "Replace an operational webhook endpoint, or create it",
        },
      },
    )
    .delete(
      `${base}/:endpoint_id`,
      async ({ ctx, params, status }) => {
        await operational.deleteOperationalEndpoint(ctx, params.endpoint_id);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: id("delete"), summary: "Delete an operational webhook endpoint" },
      },
    )
    .get(
      `${base}/:endpoint_id/headers`,
      ({ ctx, params }) => operational.getOperationalHeaders(ctx, params.endpoint_id),
      {
        params,
        response: { 200: EndpointHeadersOut, ...errorResponses },
        detail: { operationId: id("get-headers"), summary: "Get an operational webhook endpoint's headers" },
      },
    )
    .put(
      `${base}/:endpoint_id/headers`,
      async ({ ctx, params, body, status }) => {
        await operational.replaceOperationalHeaders(ctx, params.endpoint_id, body.headers);
        return status(204, undefined);
      },
      {
        params,
        body: EndpointHeadersIn,
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: id("set-headers"),
          summary: "Replace an operational webhook endpoint's headers",
        },
      },
    )
    .get(
      `${base}/:endpoint_id/secret`,
      ({ ctx, params }) => operational.getOperationalSecret(ctx, params.endpoint_id),
      {
        params,
        response: { 200: EndpointSecretOut, ...errorResponses },
        detail: { operationId: id("get-secret"), summary: "Get an operational webhook endpoint's secret" },
      },
    )
    .post(
      `${base}/:endpoint_id/secret/rotate`,
      async ({ ctx, params, body, status }) => {
        await operational.rotateOperationalSecret(ctx, params.endpoint_id, body);
        return status(204, undefined);
      },
      {
        params,
        body: EndpointSecretRotateIn,
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: id("rotate-secret"),
          summary: "Give an operational webhook endpoint another secret",
        },
      },
    );
