import { Empty, errorResponses } from "../schemas/common.ts";
import { EnvironmentIn, EnvironmentOut } from "../schemas/environment.ts";
import { exportEnvironment, importEnvironment } from "../services/environment.ts";
import { type ApiParts, api } from "./api.ts";

export const environmentRoutes = (parts: ApiParts) =>
  api(parts, "environment")
    .post("/environment/export", ({ ctx }) => exportEnvironment(ctx), {
      response: { 200: EnvironmentOut, ...errorResponses },
      detail: { operationId: "v1.environment.export", summary: "Export the event types" },
    })
    .post(
      "/environment/import",
      async ({ ctx, body, status }) => {
        await importEnvironment(ctx, body);
        return status(204, undefined);
      },
      {
        body: EnvironmentIn,
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: "v1.environment.import",
          summary: "Add and replace event types out of an export",
        },
      },
    );
