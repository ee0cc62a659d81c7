import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Ref } from "../schemas/common.ts";
import { AppPortalAccessIn, AppPortalAccessOut } from "../schemas/portal-access.ts";
import { createPortalAccess } from "../services/portal-access.ts";
import { type ApiParts, api } from "./api.ts";

const params = Type.Object({ app_id: Ref });

export const authenticationRoutes = (parts: ApiParts) =>
  api(parts, "authentication")
    .post(
      "/auth/app-portal-access/:app_id",
      ({ ctx, params, body, request }) =>
        createPortalAccess(ctx, parts.issueAppToken, originOf(request), params.app_id, body),
      {
        params,
        body: AppPortalAccessIn,
        response: { 200: AppPortalAccessOut, ...errorResponses },
        detail: {
          operationId: "v1.authentication.app-portal-access",
          summary: "Make a token for an application's owner",
        },
      },
    )
    .post(
      "/auth/dashboard-access/:app_id",
      ({ ctx, params, request }) =>
        createPortalAccess(ctx, parts.issueAppToken, originOf(request), params.app_id, {}),
      {
        params,
        response: { 200: AppPortalAccessOut, ...errorResponses },
        detail: { operationId: "v1.authentication.dashboard-access", hide: true },
      },
    )
    // A token is good until it expires: there is no session to end.
    .post("/auth/logout", ({ status }) => status(204, undefined), {
      response: { 204: Empty, ...errorResponses },
      detail: { operationId: "v1.authentication.logout", summary: "Leave" },
    });

/** As the client reached us: a proxy in front says whether over TLS. */
function originOf(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const forwarded = request.headers.get("x-forwarded-proto");
  return `${forwarded === "https" ? "https:" : protocol}//${host}`;
}
