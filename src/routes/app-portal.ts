import { createHash } from "node:crypto";
import { Elysia } from "../lib/elysia/index.ts";
import html from "./app-portal.html" with { type: "text" };
import { staticAnswer } from "./static-answer.ts";

// Bun's types take every HTML file for a bundle.
const page = html as unknown as string;

/** A source for the policy: the element's own text, and nothing else. */
function hashOf(element: "script" | "style"): string {
  const [, text = ""] = new RegExp(`<${element}>(.*?)</${element}>`, "s").exec(page) ?? [];
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The page that the links of portal tokens lead to. It calls the API with the token after the link's #. */
export const appPortalRoutes = () =>
  new Elysia({ name: "routes/app-portal" }).get(
    "/app-portal",
    ({ request }) =>
      staticAnswer(request, "text/html; charset=utf-8", page, {
        "script-src": hashOf("script"),
        "style-src": hashOf("style"),
      }),
    { detail: { hide: true } },
  );
