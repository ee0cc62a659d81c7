/** Any page may call the API: what it may do is up to its token, never to a cookie. */
export const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "x-request-id, retry-after",
} as const;

/** Answers the question that a browser asks before the request itself. */
export function preflight(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders,
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
      // Asked for and granted: "*" would not cover Authorization.
      "access-control-allow-headers":
        request.headers.get("access-control-request-headers") ?? "authorization, content-type",
      "access-control-max-age": "86400",
      vary: "access-control-request-headers",
    },
  });
}
