import { expect, test } from "bun:test";
import { type AppParts, createApp } from "../../src/app.ts";

// Elysia decides by the text of the hooks and the handler what it makes ready for each request.
test("accepting a message has nothing made ready that nobody looks at", () => {
  const { routes } = createApp({} as AppParts);
  const route = routes.find(
    ({ method, path }) => method === "POST" && path === "/api/v1/app/:app_id/msg",
  ) as unknown as { compile(): unknown };
  const made = String(route.compile());
  expect(made).toContain("e.beforeHandle[0](c)");
  for (const unasked of ["parseCookie", "headers.toJSON()", "'server'"]) expect(made).not.toContain(unasked);
});
