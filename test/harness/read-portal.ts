/**
 * `bun read-portal.ts <chromium> <database's URL> [folder for screenshots]`: reads the page that a portal link leads to
 * in a browser, as a process of its own, so that it can be started where there is no network but loopback. Prints what
 * it saw as JSON.
 */
import { connect } from "../../src/database.ts";
import { startApi } from "./api.ts";
import { openPage } from "./browser.ts";

const [chromium = "chromium", databaseUrl = "", folder] = process.argv.slice(2);
const sql = connect(databaseUrl, { max: 2, prepare: true, applicationName: "posthorn test portal" });
const api = await startApi({ database: { url: databaseUrl, sql, drop: async () => {} } });
const { body } = await api.request("POST", "/auth/app-portal-access/own", { body: { readOnly: true } });
const page = await openPage(chromium);
const text = () => page.evaluate<string>("document.body.innerText");

await page.goto(body.url);
await page.until("document.querySelectorAll('#endpoints tbody tr').length > 0", "any endpoint");
const endpoints = await text();
await page.evaluate("document.querySelector('#endpoints tbody button').click()");
await page.until("document.querySelectorAll('#attempts tbody tr').length > 0", "any attempt");
const attempts = await text();
const markup = await page.evaluate<number>("document.querySelectorAll('#attempts img').length");
if (folder) await page.screenshot(`${folder}/portal.png`);
await page.goto(`${api.url}/app-portal#key=nonsense`);
await page.until("document.getElementById('message').textContent.includes('has none')", "a word on the link");
await page.goto(`${api.url}/app-portal#key=${btoa(JSON.stringify({ appId: "own", token: "x" }))}`);
await page.until("document.getElementById('message').textContent.includes('has ended')", "a word on its end");

const { complaints, requests } = page;
await page.close();
await api.stop();
await sql.end({ timeout: 1 });
const elsewhere = requests.filter((asked) => !asked.startsWith(`${api.url}/`) && !asked.startsWith("data:"));
process.stdout.write(JSON.stringify({ endpoints, attempts, markup, complaints, elsewhere }));
process.exit(0);
