import { Elysia } from "../lib/elysia/index.ts";
import { Empty } from "../schemas/common.ts";
import { Health } from "../schemas/health.ts";
import { checkHealth } from "../services/health.ts";
import type { ApiParts } from "./api.ts";

/** Open to everyone: load balancers have no token. */
export const healthRoutes = (parts: ApiParts) =>
  new Elysia({ name: "routes/health", prefix: "/api/v1" })
    .get(
      "/health",
      async ({ status }) => {
        const { healthy, report } = await checkHealth(parts.repos);
        return status(healthy ? 200 : 500, report);
      },
      {
        response: { 200: Health, 500: Health },
        detail: { operationId: "v1.health.get", summary: "Whether the service works", security: [] },
      },
    )
    .head("/health", async ({ status }) => {
      const { healthy } = await checkHealth(parts.repos);
      return status(healthy ? 200 : 500, undefined);
    })
    .get("/health/ping", ({ status }) => status(204, undefined), {
      response: { 204: Empty },
      detail: { operationId: "v1.health.ping", summary: "Whether the process answers", security: [] },
    })
    .head("/health/ping", ({ status }) => status(204, undefined));
