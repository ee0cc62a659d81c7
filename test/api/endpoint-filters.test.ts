import { afterAll, beforeAll } from "bun:test";
import { type Api, startApi } from "../harness/api.ts";
import { runScenarios, type Scenario } from "../harness/scenarios.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.request("POST", "/app", { body: { name: "own", uid: "own" } });
});
afterAll(() => api.stop());

const url = "https://example.com/hook";
const one = "/app/own/endpoint/one";
const filter = {
  and: [{ path: "data.amount", gte: 100 }, { not: { path: 'data["a.b"][0]', in: ["x", null] } }],
};
const deep = (levels: number): object => (levels === 0 ? { path: "a", eq: 1 } : { not: deep(levels - 1) });

const refused = (name: string, bad: unknown, ...at: string[]): Scenario => ({
  name,
  request: "POST /app/own/endpoint",
  body: { url, filter: bad },
  status: 422,
  at: ["body", "filter", ...at],
});

runScenarios(
  () => api,
  [
    {
      name: "with a filter",
      request: "POST /app/own/endpoint",
      body: { url, uid: "one", filter },
      status: 201,
      shape: "EndpointOut",
      has: { filter },
      hasNot: ["filterPath", "strict"],
    },
    { name: "kept", request: `GET ${one}`, status: 200, has: { filter } },
    {
      name: "absent keeps it",
      request: `PATCH ${one}`,
      body: { description: "x" },
      status: 200,
      has: { filter },
    },
    {
      name: "null clears it",
      request: `PATCH ${one}`,
      body: { filter: null },
      status: 200,
      has: { filter: null },
    },
    { name: "another", request: `PATCH ${one}`, body: { filter: { path: "a", eq: 1 } }, status: 200 },
    {
      name: "a PUT without one clears it",
      request: `PUT ${one}`,
      body: { url },
      status: 200,
      has: { filter: null },
    },
    {
      name: "an operational endpoint has none",
      request: "POST /operational-webhook/endpoint",
      body: { url, filter: { nonsense: 1 } },
      status: 201,
      hasNot: ['filter":', "nonsense"],
    },
    refused("no object", "a"),
    refused("empty", {}),
    refused("an unknown group", { xor: [] }, "xor"),
    refused("two groups", { and: [{ path: "a", eq: 1 }], or: [{ path: "a", eq: 1 }] }),
    refused("no list", { and: {} }, "and"),
    refused("an empty list", { or: [] }, "or"),
    refused("no operator", { path: "a" }),
    refused("an unknown operator", { and: [{ path: "a", like: "x" }] }, "and", "0", "like"),
    refused("an inherited one", { path: "a", constructor: 1 }, "constructor"),
    refused("an object to compare with", { path: "a", eq: {} }, "eq"),
    refused("an order of booleans", { path: "a", gt: true }, "gt"),
    refused("exists of a number", { path: "a", exists: 1 }, "exists"),
    refused("in of nothing", { path: "a", in: [] }, "in"),
    refused("a list in a list", { not: { path: "a", in: [1, []] } }, "not", "in", "1"),
    refused("NUL", { path: "a", eq: "\0" }, "eq"),
    refused("a path that is none", { path: "a..b", eq: 1 }, "path"),
    refused("a path that starts with a dot", { path: ".a", eq: 1 }, "path"),
    refused("a path with a wildcard", { path: "a[*]", eq: 1 }, "path"),
    refused("a path that is empty", { path: "", eq: 1 }, "path"),
    refused("a path of 17 steps", { path: `a${".a".repeat(16)}`, eq: 1 }, "path"),
    refused("NUL in a path", { path: '["\\u0000"]', eq: 1 }, "path"),
    refused("too deep", deep(10), ...Array.from({ length: 10 }, () => "not")),
    refused("too many", { path: "a", in: Array.from({ length: 99 }, (_, n) => n) }, "in", "98"),
    refused("too long", { path: "a", eq: "x".repeat(8_192) }),
    refused("digits that are not kept", { path: "a", eq: 0.1234567890123456 }, "eq"),
    {
      ...refused("an integer that is not kept", null, "eq"),
      body: undefined,
      raw: `{"url":"${url}","filter":{"path":"a","eq":12345678901234567890}}`,
    },
  ],
);
