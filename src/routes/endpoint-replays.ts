import { Type } from "@sinclair/typebox";
import { BulkReplayIn, ReplayIn, ReplayOut } from "../schemas/background-tasks.ts";
import { errorResponses, Ref } from "../schemas/common.ts";
import { bulkReplay, recoverEndpoint, replayMissing } from "../services/endpoint-replays.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref, endpoint_id: Ref });
const response = { 202: ReplayOut, ...errorResponses };

export const endpointReplayRoutes = (parts: ApiParts) =>
  api(parts, "endpoint-replays")
    .post(
      "/app/:app_id/endpoint/:endpoint_id/recover",
      async ({ ctx, params, body, status }) =>
        status(202, await recoverEndpoint(ctx, params.app_id, params.endpoint_id, body)),
      {
        params,
        body: ReplayIn,
        response,
        detail: { operationId: "v1.endpoint.recover", summary: "Send again what failed" },
      },
    )
    .post(
      "/app/:app_id/endpoint/:endpoint_id/replay-missing",
      async ({ ctx, params, body, status }) =>
        status(202, await replayMissing(ctx, params.app_id, params.endpoint_id, body)),
      {
        params,
        body: ReplayIn,
        response,
        detail: { operationId: "v1.endpoint.replay-missing", summary: "Send what was never sent" },
      },
    )
    .post(
      "/app/:app_id/endpoint/:endpoint_id/bulk-replay",
      async ({ ctx, params, body, status }) =>
        status(202, await bulkReplay(ctx, params.app_id, params.endpoint_id, body)),
      {
        params,
        body: BulkReplayIn,
        response,
        detail: { operationId: "v1.endpoint.bulk-replay", summary: "Send everything again" },
      },
    );
