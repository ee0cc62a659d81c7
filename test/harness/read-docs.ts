/**
 * `bun read-docs.ts <chromium> [folder for screenshots]`: serves /docs and reads it in a browser, as a process of its
 * own, so that it can be started where there is no network but loopback. Prints what it saw as JSON.
 */
import pino from "pino";
import { type AppParts, createApp } from "../../src/app.ts";

import { openPage } from "./browser.ts";

const [chromium = "chromium", folder] = process.argv.slice(2);
// No route of the API is called here: only the log is needed.
const app = createApp({ log: pino({ level: "silent" }) } as unknown as AppParts);
app.listen({ port: 0, hostname: "127.0.0.1" });
const url = `http://127.0.0.1:${app.server?.port}`;
const page = await openPage(chromium);

await page.goto(`${url}/`);
await page.until("document.querySelectorAll('.opblock').length > 0", "any operation on the page");
const at = await page.evaluate<string>("location.pathname");
const operations = await page.evaluate<string[]>(
  "[...document.querySelectorAll('.opblock-summary-path')].map((e) => e.dataset.path)",
);
const tags = await page.evaluate<string[]>(
  "[...document.querySelectorAll('.opblock-tag')].map((e) => e.dataset.tag)",
);
if (folder) await page.screenshot(`${folder}/docs.png`);

await page.evaluate(
  `document.querySelector('.opblock-post [data-path="/api/v1/app/{app_id}/msg"]').closest("button").click()`,
);
await page.until(
  "document.querySelector('.opblock.is-open .responses-table') !== null",
  "the open operation",
);
const open = await page.evaluate<string>("document.querySelector('.opblock.is-open').innerText");
await page.evaluate("document.querySelector('.opblock.is-open').scrollIntoView()");
if (folder) await page.screenshot(`${folder}/operation.png`);

const { complaints, requests } = page;
await page.close();
await app.stop(true);
const elsewhere = requests.filter((asked) => !asked.startsWith(`${url}/`) && !asked.startsWith("data:"));
process.stdout.write(JSON.stringify({ at, operations, tags, open, complaints, elsewhere }));
process.exit(0);
