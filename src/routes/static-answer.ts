/** Nothing but what this server serves itself, so that a page is the same without internet. */
const closed: Readonly<Record<string, string>> = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self' data:",
  "connect-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
};

/**
 * What stays the same as long as the executable does, as gzip where that is taken.
 * @param open sources that its page has besides, by directive
 */
export function staticAnswer(
  request: Request,
  type: string,
  body: string,
  open: Record<string, string> = {},
): Response {
  const policy = Object.entries({ ...closed, ...open }).map(
    ([directive, sources]) => `${directive} ${sources}`,
  );
  const headers: Record<string, string> = {
    "content-type": type,
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "public, max-age=300",
    vary: "accept-encoding",
  };
  if (!/\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) return new Response(body, { headers });
  return new Response(gzipped(body), { headers: { ...headers, "content-encoding": "gzip" } });
}

const zipped = new Map<string, Uint8Array<ArrayBuffer>>();
/** Each body is one of a few that stay the same: zipped once. */
function gzipped(body: string): Uint8Array<ArrayBuffer> {
  const known = zipped.get(body) ?? Bun.gzipSync(body);
  zipped.set(body, known);
  return known;
}
