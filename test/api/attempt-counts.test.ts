import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Api } from "../harness/api.ts";
import { ago, startAttemptScene } from "../harness/attempt-scene.ts";
import { runScenarios, type Scenario } from "../harness/scenarios.ts";

let api: Api;
let tokens: Record<string, string> = {};
beforeAll(async () => {
  ({ api, tokens } = await startAttemptScene());
});
afterAll(() => api.stop());

const counts = (path: string, count: number): Scenario => ({
  name: `${count}`,
  request: `GET /app/own/attempt/${path}`,
  status: 200,
  shape: "CountOut",
  has: { count, approximated: false },
});

runScenarios(
  () => api,
  [
    counts("endpoint/ep/count", 4),
    counts("endpoint/ep2/count", 1),
    counts("endpoint/ep/count?status=0", 1),
    counts("endpoint/ep/count?status=2", 3),
    counts("endpoint/ep/count?status=1", 0),
    counts("endpoint/ep/count?status=4", 0),
    counts("endpoint/ep/count?status_code_class=400", 1),
    counts("endpoint/ep/count?channel=c1", 2),
    counts("endpoint/ep/count?tag=t1", 2),
    counts("endpoint/ep/count?event_types=order.paid", 1),
    counts(`endpoint/ep/count?before=${ago(45).toISOString()}`, 3),
    counts(`endpoint/ep/count?after=${ago(45).toISOString()}`, 1),
    counts("msg/m1/count", 3),
    counts("msg/m1/count?endpoint_id=ep", 2),
    counts("msg/m1/count?endpoint_id=ep&status=2", 1),
    counts("msg/m5/count", 0),
    { name: "no tag", request: "GET /app/own/attempt/msg/m1/count?tag=,", status: 422, at: ["query", "tag"] },
    {
      name: "no class",
      request: "GET /app/own/attempt/endpoint/ep/count?status_code_class=404",
      status: 400,
    },
    { name: "no endpoint", request: "GET /app/own/attempt/endpoint/none/count", status: 404 },
    { name: "no message", request: "GET /app/own/attempt/msg/none/count", status: 404 },
    { name: "another org", request: "GET /app/own/attempt/endpoint/ep/count", as: "otherOrg", status: 404 },
    { name: "another app", request: "GET /app/own/attempt/msg/m1/count", as: "otherApp", status: 404 },
    { name: "nobody", request: "GET /app/own/attempt/msg/m1/count", as: null, status: 401 },
    {
      name: "lists go by the tag too",
      request: "GET /app/own/attempt/endpoint/ep?tag=t1",
      status: 200,
      has: { data: [{ status: 0 }, { status: 2 }], done: true },
    },
  ],
  () => tokens,
);

test("past 10,000 the count is that, and says so", async () => {
  const { sql } = api.database;
  await sql`
    insert into attempts
    select 'atmpt_' || substr(id, 7, 20) || lpad(n::text, 7, '0'), org_id, app_id, message_id, endpoint_id, event_type,
           channels, trigger, attempt, status, response_status_code, response, duration_ms, url, next_at, tags
    from (select * from attempts where tags is null and status = 2 limit 1) one, generate_series(1, 10001) n`;
  const { body } = await api.request("GET", "/app/own/attempt/endpoint/ep/count?status=2");
  expect(body).toEqual({ count: 10_000, approximated: true });
});
