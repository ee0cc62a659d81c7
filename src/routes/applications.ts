import { Type } from "@sinclair/typebox";
import { ApplicationIn, ApplicationList, ApplicationOut, ApplicationPatch } from "../schemas/applications.ts";
import { Empty, errorResponses, Input, idCursor, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import {
  createApplication,
  deleteApplication,
  getApplication,
  listApplications,
  patchApplication,
  upsertApplication,
} from "../services/applications.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref });

export const applicationRoutes = (parts: ApiParts) =>
  api(parts, "applications")
    .get("/app", ({ ctx, query }) => listApplications(ctx, query), {
      query: Input({ ...listQuery(idCursor("app_")), ...OrderQuery }),
      response: { 200: ApplicationList, ...errorResponses },
      detail: { operationId: "v1.application.list", summary: "List applications" },
    })
    .post(
      "/app",
      async ({ ctx, body, query, status }) => {
        const made = await createApplication(ctx, body, { getIfExists: query.get_if_exists ?? false });
        return status(made.created ? 201 : 200, made.application);
      },
      {
        body: ApplicationIn,
        query: Input({
          get_if_exists: Type.Optional(
            Type.Boolean({
              description: "answers the one that has this uid, if any, and leaves it as it is",
            }),
          ),
        }),
        response: { 200: ApplicationOut, 201: ApplicationOut, ...errorResponses },
        detail: { operationId: "v1.application.create", summary: "Create an application" },
      },
    )
    .get("/app/:app_id", ({ ctx, params }) => getApplication(ctx, params.app_id), {
      params,
      response: { 200: ApplicationOut, ...errorResponses },
      detail: { operationId: "v1.application.get", summary: "Get an application" },
    })
    .put(
      "/app/:app_id",
      async ({ ctx, params, body, status }) => {
        const put = await upsertApplication(ctx, params.app_id, body);
        return status(put.created ? 201 : 200, put.application);
      },
      {
        params,
        body: ApplicationIn,
        response: { 200: ApplicationOut, 201: ApplicationOut, ...errorResponses },
        detail: { operationId: "v1.application.update", summary: "Replace an application, or create it" },
      },
    )
    .patch("/app/:app_id", ({ ctx, params, body }) => patchApplication(ctx, params.app_id, body), {
      params,
      body: ApplicationPatch,
      response: { 200: ApplicationOut, ...errorResponses },
      detail: { operationId: "v1.application.patch", summary: "Change some fields of an application" },
    })
    .delete(
      "/app/:app_id",
      async ({ ctx, params, status }) => {
        await deleteApplication(ctx, params.app_id);
        return status(204, undefined);
      },
      {
        params,
        response: { 204: Empty, ...errorResponses },
        detail: { operationId: "v1.application.delete", summary: "Delete an application" },
      },
    );
