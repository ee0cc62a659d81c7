import { Type } from "@sinclair/typebox";
import { BackgroundTaskList, BackgroundTaskOut, TaskQuery } from "../schemas/background-tasks.ts";
import { errorResponses, Input, idCursor, listQuery, OrderQuery, Ref } from "../schemas/common.ts";
import {
  cancelBackgroundTask,
  getBackgroundTask,
  listBackgroundTasks,
} from "../services/background-tasks.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ task_id: Ref });

export const backgroundTaskRoutes = (parts: ApiParts) =>
  api(parts, "background-tasks")
    .get("/background-task", ({ ctx, query }) => listBackgroundTasks(ctx, query), {
      query: Input({ ...listQuery(idCursor("qtask_")), ...OrderQuery, ...TaskQuery }),
      response: { 200: BackgroundTaskList, ...errorResponses },
      detail: { operationId: "v1.background-task.list", summary: "List background tasks" },
    })
    .get("/background-task/:task_id", ({ ctx, params }) => getBackgroundTask(ctx, params.task_id), {
      params,
      response: { 200: BackgroundTaskOut, ...errorResponses },
      detail: { operationId: "v1.background-task.get", summary: "Get a background task" },
    })
    .post(
      "/background-task/:task_id/cancel",
      ({ ctx, params }) => cancelBackgroundTask(ctx, params.task_id),
      {
        params,
        response: { 200: BackgroundTaskOut, ...errorResponses },
        detail: {
          operationId: "v1.background-task.cancel",
          summary: "Stop a background task",
          description: "Posthorn's own. What it has queued so far stays queued.",
        },
      },
    );
