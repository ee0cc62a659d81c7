import { Type } from "@sinclair/typebox";
import { Empty, errorResponses, Ref } from "../schemas/common.ts";
import { ApplicationTokenExpireIn, AppPortalAccessIn, AppPortalAccessOut } from "../schemas/portal-access.ts";
import { bearerToken } from "../services/authentication.ts";
import { createPortalAccess } from "../services/portal-access.ts";
import { expireAppTokens, logOut } from "../services/revocations.ts";
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
    .post(
      "/auth/app/:app_id/expire-all",
      async ({ ctx, params, body, status }) => {
        await expireAppTokens(ctx, params.app_id, body);
        return status(204, undefined);
      },
      {
        params,
        body: ApplicationTokenExpireIn,
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: "v1.authentication.expire-all",
          summary: "End an application's tokens, all or those of some sessions",
        },
      },
    )
    .post(
      "/auth/logout",
      async ({ ctx, request, status }) => {
        await logOut(ctx, bearerToken(request.headers.get("authorization")));
        return status(204, undefined);
      },
      {
        response: { 204: Empty, ...errorResponses },
        detail: {
          operationId: "v1.authentication.logout",
          summary:
            "End the portal session or API key that this request comes with; an organisation token stays",
        },
      },
    );

/** As the client reached us: a proxy in front says whether over TLS. */
function originOf(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const forwarded = request.headers.get("x-forwarded-proto");
  return `${forwarded === "https" ? "https:" : protocol}//${host}`;
}
