import license from "swagger-ui-dist/LICENSE" with { type: "file" };
import notice from "swagger-ui-dist/NOTICE" with { type: "file" };
import styles from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import script from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import scriptLicenses from "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt" with { type: "file" };
import { Elysia } from "../lib/elysia/index.ts";
import type { DescribedRoute } from "../lib/openapi/document.ts";
import { describeApi } from "./openapi.ts";
import { staticAnswer } from "./static-answer.ts";

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Posthorn: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<body>
<div id="reference"></div>
<noscript>This page needs JavaScript. The same is to be read in <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
`;

const start = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  // Both would ask a server elsewhere.
  validatorUrl: null,
  queryConfigEnabled: false,
});
`;

const html = "text/html; charset=utf-8";
const javascript = "text/javascript; charset=utf-8";
const text = "text/plain; charset=utf-8";
/** By the name under /docs. They change with the executable only. */
const assets: Record<string, { type: string; read: () => Promise<string> }> = {
  "start.js": { type: javascript, read: async () => start },
  "swagger-ui-bundle.js": { type: javascript, read: () => Bun.file(script).text() },
  "swagger-ui.css": { type: "text/css; charset=utf-8", read: () => Bun.file(styles).text() },
  "swagger-ui-bundle.js.LICENSE.txt": { type: text, read: () => Bun.file(scriptLicenses).text() },
  "swagger-ui.LICENSE.txt": { type: text, read: () => Bun.file(license).text() },
  "swagger-ui.NOTICE.txt": { type: text, read: () => Bun.file(notice).text() },
};

/** The API, for programs and for people. @param routes the whole app's */
export const documentationRoutes = (routes: () => readonly DescribedRoute[]) => {
  let document: string | null = null;
  const detail = { hide: true };
  const app = new Elysia({ name: "routes/documentation" })
    // Temporarily: what a root is for may change.
    .get("/", ({ redirect }) => redirect("/docs", 302), { detail })
    .get("/docs", ({ request }) => staticAnswer(request, html, page), { detail })
    .get(
      "/openapi.json",
      ({ request }) => {
        document ??= JSON.stringify(describeApi(routes()));
        return staticAnswer(request, "application/json", document);
      },
      { detail },
    );
  for (const [name, { type, read }] of Object.entries(assets)) {
    app.get(`/docs/${name}`, async ({ request }) => staticAnswer(request, type, await read()), { detail });
  }
  return app;
};
