import { afterAll, beforeAll, expect, test } from "bun:test";
import { notImplementedPaths } from "../../src/routes/not-implemented.ts";
import { type Api, orgToken, startApi } from "../harness/api.ts";
import { expectShape } from "../harness/shapes.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const call = async (method: string, path: string, token: string | null) => {
  const at = `${api.url}${path.replace(/:\w+/g, "x").replace("*", "any/thing")}`;
  const response = await fetch(at, {
    method,
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    ...(method === "POST" && { body: '{"any":"thing"}' }),
  });
  return { status: response.status, body: await response.json() };
};

test("what we never do answers 501 in the error's shape, whatever the method", async () => {
  const token = await orgToken("org_a");
  for (const path of notImplementedPaths) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      const { status, body } = await call(method, path, token);
      expect([path, status, body]).toEqual([
        path,
        501,
        { code: "not_implemented", detail: "This API endpoint is not yet implemented." },
      ]);
      expectShape("HttpErrorOut", body);
    }
  }
});

test("nor is anything told without a token", async () => {
  for (const path of notImplementedPaths)
    expect([path, (await call("GET", path, null)).status]).toEqual([path, 401]);
});
