import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Api, orgToken, startApi } from "../harness/api.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** The status of what comes back for a request that no HTTP client would send. */
function statusOf(head: string[]): Promise<number> {
  const answered = Promise.withResolvers<number>();
  const { hostname, port } = new URL(api.url);
  void Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (socket) => void socket.write(`${[...head, "Connection: close"].join("\r\n")}\r\n\r\n`),
      data: (_, chunk) => answered.resolve(Number(chunk.toString("latin1").slice(9, 12))),
      close: () => answered.reject(new Error("closed without an answer")),
    },
  });
  return answered.promise;
}

const badHosts = ["a b", "", "x@y", "x/y", "x?", "x#", "a|b", "one.example, two.example"];

test.each(badHosts)("with the host %p no route is reached, with or without a token", async (host) => {
  const token = await orgToken("org_a");
  for (const path of ["/api/v1/app", "/api/v1/app/none?x=1", "/ingest/api/v1/anything"]) {
    const request = [`GET ${path} HTTP/1.1`, `Host: ${host}`];
    expect([path, await statusOf(request)]).toEqual([path, 422]);
    expect([path, await statusOf([...request, `Authorization: Bearer ${token}`])]).toEqual([path, 422]);
  }
  expect(await statusOf(["GET /api/v1/health/ping HTTP/1.1", `Host: ${host}`])).toBe(204);
  expect(await statusOf(["GET /nowhere HTTP/1.1", `Host: ${host}`])).toBe(404);
});

test.each(["x", "xyz", "a.io", "localhost"])("a path is what stands behind the host %p", async (host) => {
  const at = (path: string) => statusOf([`GET ${path} HTTP/1.1`, `Host: ${host}`]);
  expect(await at("/api/v1/app")).toBe(401);
  for (const path of ["/a/api/v1/app", "/ab/api/v1/app", "/abc/api/v1/app", "//api/v1/app", "/x//api/v1/app"])
    expect([path, await at(path)]).toEqual([path, 404]);
});

test("whoever speaks HTTP/1.0 without a host gets the health", async () => {
  expect(await statusOf(["GET /api/v1/health/ping HTTP/1.0"])).toBe(204);
});
