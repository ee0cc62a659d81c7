/**
 * `bun test/bench/lists.ts [messages …]`: how long each GET of the API takes with so many messages and three times as
 * many attempts in the database. By default 20,000 and 200,000, which takes a minute; `100000 10000000` is the claim in
 * full, and takes a disk of 20 GB and an hour. One application has half of everything.
 */
import { type Api, startApi } from "../harness/api.ts";
import { fillHistory, type History } from "../harness/big-history.ts";
import { createTestDatabase, stopTestPostgres, testPostgres } from "../harness/postgres.ts";

const repeats = 15;
const sizes = process.argv.slice(2).map((text) => Number(text.replaceAll(/[_,]/g, "")));
if (sizes.some((size) => !Number.isInteger(size) || size < 1_000))
  throw new Error("each size is 1,000 messages or more");
if (sizes.length === 0) sizes.push(20_000, 200_000);

type Times = Map<string, number>;
type Route = { method: string; path: string; hooks?: { query?: { properties?: Record<string, unknown> } } };

async function measure(size: number): Promise<Times> {
  const database = await createTestDatabase();
  const started = performance.now();
  const history = await fillHistory(database, size);
  console.log(
    `${size.toLocaleString("en")} messages: filled in ${Math.round((performance.now() - started) / 1000)} s`,
  );
  const api = await startApi({ database });
  const times: Times = new Map();
  // As the app has them, so that a new list can't be forgotten.
  for (const route of api.app.routes as unknown as Route[]) {
    if (route.method !== "GET" || !route.path.startsWith("/api/v1/app")) continue;
    const missing = [...route.path.matchAll(/:(\w+)/g)].find(
      ([, key = ""]) => history.ids[key] === undefined,
    );
    if (missing !== undefined) {
      console.log(`left out, since the history has no ${missing[1]}: ${route.path}`);
      continue;
    }
    for (const [name, query] of variants(route, history)) {
      const path = route.path
        .slice("/api/v1".length)
        .replace(/:(\w+)/g, (_, key: string) => history.ids[key] ?? "");
      times.set(`${route.path.slice("/api/v1".length)} ${name}`, await timeOf(api, `${path}${query}`));
    }
  }
  await api.stop();
  await database.drop();
  return times;
}

/** What is asked of a list: whole, further down, backward, and by each filter that it has. */
function variants(route: Route, history: History): [string, string][] {
  const parameters = Object.keys(route.hooks?.query?.properties ?? {});
  const cursor = history.cursorOf(route.path);
  const asked: [string, string][] = [["", ""]];
  if (parameters.includes("iterator") && cursor !== null) {
    asked.push(["from the middle", `?iterator=${cursor}`], ["back from the middle", `?iterator=-${cursor}`]);
  }
  const filters: Record<string, string> = {
    limit: "250",
    order: "ascending",
    status: "2",
    status_code_class: "500",
    channel: "rare",
    event_types: "rare.event",
    before: history.middle.toISOString(),
    after: history.middle.toISOString(),
    endpoint_id: history.ids.endpoint_id ?? "",
  };
  for (const [key, value] of Object.entries(filters)) {
    if (parameters.includes(key))
      asked.push([value.length > 12 ? key : `${key}=${value}`, `?${key}=${value}`]);
  }
  return asked;
}

async function timeOf(api: Api, path: string): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const started = performance.now();
    const { status, text } = await api.request("GET", path);
    times.push(performance.now() - started);
    // A limit that is refused, or an entity that isn't there, is no measurement.
    if (status !== 200) throw new Error(`${path}: ${status} ${text.slice(0, 200)}`);
  }
  // The best: what a shared machine adds is no part of it.
  return Math.min(...times);
}

try {
  await testPostgres();
  const measured: Times[] = [];
  for (const size of sizes) measured.push(await measure(size));
  const [first, last] = [measured[0], measured.at(-1)] as [Times, Times];
  const heads = sizes.map((size) => `${size.toLocaleString("en")}`.padStart(12));
  console.log(`${`best of ${repeats}, ms`.padEnd(70)}${heads.join("")}      grew`);
  for (const name of first.keys()) {
    const row = measured.map((times) => (times.get(name) ?? Number.NaN).toFixed(1).padStart(12)).join("");
    console.log(
      `${name.padEnd(70)}${row}${((last.get(name) ?? 0) / (first.get(name) ?? 1)).toFixed(1).padStart(9)}×`,
    );
  }
  const slow = [...last].filter(([name, ms]) => ms > 20 && ms > 3 * (first.get(name) ?? 0));
  console.log(
    slow.length === 0 ? "none grew with the data" : `grew: ${slow.map(([name]) => name).join(", ")}`,
  );
  process.exitCode = slow.length === 0 ? 0 : 1;
} finally {
  await stopTestPostgres();
}
