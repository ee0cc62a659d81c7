import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, startApi } from "../harness/api.ts";
import { findChromium, readOffline } from "../harness/browser.ts";
import { createRows } from "../harness/rows.ts";

const chromium = findChromium();
if (chromium === null) console.warn("no Chromium here: nobody has looked at /app-portal in a browser");

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

test("the link of a portal token leads to a page, under a policy that lets nothing else in", async () => {
  await api.request("POST", "/app", { body: { name: "Own", uid: "own" } });
  const { body } = await api.request("POST", "/auth/app-portal-access/own", { body: {} });
  expect(body.url).toStartWith(`${api.url}/app-portal#key=`);
  const page = await fetch(body.url);
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  const policy = page.headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toMatch(/script-src 'sha256-[^' ]{44}';/);
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(await page.text()).not.toMatch(/https?:\/\//);
});

test.skipIf(chromium === null)(
  "/app-portal shows endpoints and attempts in a real browser that reaches nothing but this server",
  async () => {
    const rows = createRows(api.database.sql, "org_a");
    const app = await api.request("GET", "/app/own");
    const endpoint = await api.request("POST", "/app/own/endpoint", {
      body: {
        url: "https://me:hunter2@receiver.example/hook",
        description: "<b>the one</b>",
        eventTypes: null,
      },
    });
    const message = await rows.message(app.body.id, { eventType: "user.signup" });
    const response = '<img src="x"> was refused';
    await rows.attempt(app.body.id, message, endpoint.body, { response });

    const seen = await readOffline("read-portal.ts", chromium ?? "", api.database.url);
    for (const part of ["Own", "https://receiver.example/hook", "<b>the one</b>", "enabled", "Attempts"]) {
      expect(seen.endpoints).toContain(part);
    }
    for (const part of ["Attempts at https://receiver.example/hook", message.id, response]) {
      expect(seen.attempts).toContain(part);
    }
    expect(seen.endpoints + seen.attempts).not.toContain("hunter2");
    expect({ markup: seen.markup, elsewhere: seen.elsewhere }).toEqual({ markup: 0, elsewhere: [] });
    // The last link's token is refused, which the browser says too.
    expect(seen.complaints).toEqual([expect.stringContaining("401")]);
  },
  240_000,
);
