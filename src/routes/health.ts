import { Elysia } from "../lib/elysia/index.ts";
import { Empty } from "../schemas/common.ts";
import { Health } from "../schemas/health.ts";
import type { ApiParts } from "./api.ts";

type Answering = { set: { status?: number | string; headers: Record<string, unknown> } };

/** Open to everyone: load balancers have no token. */
export const healthRoutes = (parts: ApiParts) => {
  const check = async ({ set }: Answering) => {
    const { healthy, report } = await parts.health.check();
    if (!healthy) set.headers["retry-after"] = "1";
    return { code: healthy ? 200 : 500, report } as const;
  };
  return new Elysia({ name: "routes/health", prefix: "/api/v1" })
    .get(
      "/health",
      async ({ set, status }) => {
        const { code, report } = await check({ set });
        return status(code, report);
      },
      {
        response: { 200: Health, 500: Health },
        detail: {
          operationId: "v1.health.get",
          summary: "Whether the service works: whether anything can be written",
          security: [],
        },
      },
    )
    .head("/health", async ({ set, status }) => status((await check({ set })).code, undefined))
    .get("/health/ping", ({ status }) => status(204, undefined), {
      response: { 204: Empty },
      detail: { operationId: "v1.health.ping", summary: "Whether the process answers", security: [] },
    })
    .head("/health/ping", ({ status }) => status(204, undefined));
};
