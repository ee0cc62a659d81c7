import { expect, test } from "bun:test";
import { type AppParts, createApp } from "../../src/app.ts";
import { createLogger } from "../../src/lib/log.ts";
import { defaultOrgId } from "../../src/services/tokens.ts";

// Elysia decides by the text of the hooks and the handler what it makes ready for each request, and what it awaits.
test("accepting a message has nothing made ready that nobody looks at, and every hook awaited", () => {
  const { routes } = createApp({} as AppParts);
  const route = routes.find(
    ({ method, path }) => method === "POST" && path === "/api/v1/app/:app_id/msg",
  ) as unknown as { compile(): unknown };
  const made = String(route.compile());
  for (const awaited of ["be=await e.beforeHandle[0](c)", "mr=await e.mapResponse[0](c)"])
    expect(made).toContain(awaited);
  for (const unasked of ["parseCookie", "headers.toJSON()", "'server'"]) expect(made).not.toContain(unasked);
});

const keepMs = 50;

/** An API whose keys are all free, and take a while to settle. */
function keyedApi() {
  const kept: unknown[] = [];
  const lines: string[] = [];
  const plain = { seal: (text: string) => text, open: (text: string) => text };
  const app = createApp({
    log: createLogger({
      level: "info",
      format: "json",
      destination: { write: (line) => void lines.push(line) },
    }),
    availability: { admit: () => {}, suspect: () => {} },
    authenticate: () => ({ kind: "org", orgId: defaultOrgId }),
    sealer: plain,
    repos: {
      idempotencyKeys: {
        claim: async () => ({ claimed: true, lockedUntil: "later" }),
        keep: async (_key: string, _until: string, { status }: { status: number }) => {
          await Bun.sleep(keepMs);
          kept.push(status);
        },
        release: async () => {},
      },
    },
  } as unknown as AppParts);
  return { app, kept, lines };
}

test.each<[string, () => unknown, number, string]>([
  ["an object", () => ({ a: 1 }), 200, '{"a":1}'],
  ["a text", () => "a text", 200, "a text"],
  ["a ready-made Response", () => new Response("ready", { status: 207 }), 207, "ready"],
])(
  "a handler with a key answers with %s: kept, sent and logged alike, in that order",
  async (_, handler, status, text) => {
    const { app, kept, lines } = keyedApi();
    app.post("/api/v1/health-of-hooks", handler as () => string);
    const answer = await app.handle(
      new Request("http://127.0.0.1/api/v1/health-of-hooks", {
        method: "POST",
        headers: { "idempotency-key": "k", authorization: "Bearer t" },
      }),
    );
    expect([kept, answer.status, await answer.text()]).toEqual([[status], status, text]);
    while (lines.length === 0) await Bun.sleep(1);
    const line = JSON.parse(lines.at(-1) ?? "") as { status: number; durationMs: number };
    expect(line.status).toBe(status);
    expect(line.durationMs).toBeGreaterThan(keepMs - 10);
  },
);

test.each([
  ["/nope", "/nope"],
  ["/app/x?token=eyJhbGciOiJIUzI1NiJ9", "/app/x"],
  [`/app/${"k".repeat(41)}/whsec_MfKQ9r8G/zz`, "/app/[…]/[…]/zz"],
  ["/1/2/3/4/5/6/7/8/9", "/1/2/3/4/5/6/7/8"],
])("a path that no route is for is logged without what may be secret: %p", async (path, logged) => {
  const { app, lines } = keyedApi();
  await app.handle(new Request(`http://127.0.0.1${path}`));
  while (lines.length === 0) await Bun.sleep(1);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ route: logged, status: 404 });
});
