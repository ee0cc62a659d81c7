import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Api, type Json, startApi } from "../harness/api.ts";

// Rules of input that hold whatever the values are, each tried on many.
let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
const seed = 20_260_103;

const post = async (path: string, body: object): Promise<Json> => {
  const answer = await api.request("POST", path, { body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
  return answer.body;
};

describe("names", () => {
  const wild = fc.oneof(
    fc.stringMatching(/^[a-zA-Z0-9\-_.]{1,40}$/),
    fc.string({ maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom(
      "",
      ".",
      "..",
      "a b",
      "é",
      "a/b",
      "a\n",
      "app_x",
      "ep_x",
      "msg_x",
      "APP_x",
      "xapp_",
      "x".repeat(256),
      "x".repeat(257),
    ),
  );
  const good = (name: string) => /^[a-zA-Z0-9\-_.]{1,256}$/.test(name);

  test("a uid is taken exactly when it follows the rule, and then finds what it names", async () => {
    await fc.assert(
      fc.asyncProperty(wild, async (uid) => {
        const { status, body } = await api.request("POST", "/app?get_if_exists=true", {
          body: { name: "n", uid },
        });
        const fits = good(uid) && !uid.startsWith("app_");
        expect([uid, status < 300]).toEqual([uid, fits]);
        if (!fits) return expect(body.detail[0].loc).toEqual(["body", "uid"]);
        expect(body.uid).toBe(uid);
        // A path can't end in dots: they mean folders to whatever makes URLs.
        if (!/^\.+$/.test(uid)) expect((await api.request("GET", `/app/${uid}`)).body.id).toBe(body.id);
      }),
      { seed, numRuns: 60 },
    );
  });

  test("an event type's name likewise", async () => {
    await fc.assert(
      fc.asyncProperty(wild, async (name) => {
        const { status, body } = await api.request("POST", "/event-type", {
          body: { name, description: "" },
        });
        expect([name, status === 201 || status === 409]).toEqual([name, good(name)]);
        if (status === 201) expect(body.name).toBe(name);
      }),
      { seed, numRuns: 60 },
    );
  });

  test("a uid names one thing at a time, and is free again once that is gone", async () => {
    const { id } = await post("/app", { name: "first", uid: "reused" });
    expect((await api.request("POST", "/app", { body: { name: "x", uid: "reused" } })).status).toBe(409);
    await api.request("DELETE", "/app/reused");
    const second = await post("/app", { name: "second", uid: "reused" });
    expect(second.id).not.toBe(id);
    expect((await api.request("GET", `/app/${id}`)).status).toBe(404);
  });
});

describe("headers", () => {
  const forbidden = [
    ..."user-agent keep-alive proxy-authenticate proxy-authorization te trailers transfer-encoding upgrade age".split(
      " ",
    ),
    ..."cache-control clear-site-data expires pragma warning content-length content-type content-encoding".split(
      " ",
    ),
    ..."content-language content-location".split(" "),
  ];
  const prefixes = "x-amz- x-amzn- x-google x-goog- x-gfe x-azure- x-fd- x-svix- svix-".split(" ");
  const sensitive = "x-auth-token x-api-key www-authenticate authorization".split(" ");
  const anyCase = (name: string) =>
    fc
      .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
      .map((upper) => [...name].map((letter, n) => (upper[n] ? letter.toUpperCase() : letter)).join(""));
  const path = "/app/headers/endpoint/one/headers";
  beforeAll(async () => {
    await post("/app", { name: "headers", uid: "headers" });
    await post("/app/headers/endpoint", { url: "http://127.0.0.1/", uid: "one" });
  });

  test("those that are ours or the transport's are refused, in whatever case", async () => {
    const names = fc.constantFrom(...forbidden, ...prefixes.map((prefix) => `${prefix}x`)).chain(anyCase);
    await fc.assert(
      fc.asyncProperty(names, fc.constantFrom("PUT", "PATCH"), async (name, method) => {
        const { status } = await api.request(method, path, { body: { headers: { [name]: "x" } } });
        expect([name, status]).toEqual([name, 422]);
      }),
      { seed, numRuns: 60 },
    );
  });

  test("a name and a value that HTTP has no place for are refused, so that none breaks out of its line", async () => {
    const bad = fc.constantFrom("a b", "a:b", "a\r\nb", "a\nb", "é", "", "a\u0000", "(", "a\t", "\u007f");
    await fc.assert(
      fc.asyncProperty(bad, async (text) => {
        const byName = await api.request("PUT", path, { body: { headers: { [text]: "x" } } });
        expect([text, byName.status]).toEqual([text, 422]);
      }),
      { seed, numRuns: 20 },
    );
    for (const value of ["a\r\nx: y", "a\nb", "a\u0000b", "a\rb"]) {
      const { status } = await api.request("PUT", path, { body: { headers: { "x-ok": value } } });
      expect([value, status]).toEqual([value, 422]);
    }
  });

  test("what is put comes back, but for the values of secret ones, which are named", async () => {
    const name = fc.oneof(
      fc.stringMatching(/^x-own-[a-z]{1,8}$/),
      fc.constantFrom(...sensitive).chain(anyCase),
    );
    const value = fc.stringMatching(/^[!-~]{1,20}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 5 }), async (headers) => {
        const lower = new Set(Object.keys(headers).map((key) => key.toLowerCase()));
        const { status } = await api.request("PUT", path, { body: { headers } });
        // The same name in two cases is one header twice.
        if (lower.size < Object.keys(headers).length) return;
        expect([headers, status]).toEqual([headers, 204]);
        const { body, text } = await api.request("GET", path);
        const hidden = Object.keys(headers).filter((key) => sensitive.includes(key.toLowerCase()));
        const shown = Object.entries(headers).filter(([key]) => !hidden.includes(key));
        expect(body.headers).toEqual(Object.fromEntries(shown));
        expect(body.sensitive.map((key: string) => key.toLowerCase()).toSorted()).toEqual(
          hidden.map((key) => key.toLowerCase()).toSorted(),
        );
        for (const key of hidden)
          if ((headers[key] ?? "").length > 8) expect(text).not.toContain(headers[key]);
      }),
      { seed, numRuns: 40 },
    );
  });
});

describe("PATCH", () => {
  const application = {
    name: fc.constantFrom("a", "b", "c"),
    uid: fc.constantFrom("patched-1", "patched-2", null),
    throttleRate: fc.constantFrom(1, 500, null),
    metadata: fc.dictionary(fc.constantFrom("k", "l"), fc.constantFrom("v", "w")),
  };
  const endpoint = {
    url: fc.constantFrom("http://127.0.0.1/a", "http://127.0.0.1/b"),
    description: fc.constantFrom("", "d"),
    disabled: fc.boolean(),
    uid: fc.constantFrom("one", "two", null),
    channels: fc.constantFrom(["a"], ["a", "b"], null),
    throttleRate: fc.constantFrom(1, 500, null),
    deliveryTimeoutMs: fc.constantFrom(100, 60_000, null),
    retrySchedule: fc.constantFrom([], [0.1, 5], null),
    metadata: fc.dictionary(fc.constantFrom("k", "l"), fc.constantFrom("v", "w")),
  };
  const eventType = {
    description: fc.constantFrom("", "d"),
    archived: fc.boolean(),
    deprecated: fc.boolean(),
    featureFlag: fc.constantFrom("beta", null),
    groupName: fc.constantFrom("group", null),
    retrySchedule: fc.constantFrom([], [0.1, 5], null),
    schemas: fc.constantFrom({ "1": { b: 1, a: 2 } }, null),
  };
  const make = {
    application: async () => `/app/${(await post("/app", { name: "n" })).id}`,
    endpoint: async () => {
      const { id } = await post("/app", { name: "n" });
      return `/app/${id}/endpoint/${(await post(`/app/${id}/endpoint`, { url: "http://127.0.0.1/" })).id}`;
    },
    "event type": async () =>
      `/event-type/${(await post("/event-type", { name: "to.patch", description: "" })).name}`,
  };

  /** Without what is no field of its own. */
  const read = async (path: string): Promise<Json> => {
    const { updatedAt: _, breaker: __, ...fields } = (await api.request("GET", path)).body;
    return fields;
  };

  test.each([
    ["application", application],
    ["endpoint", endpoint],
    ["event type", eventType],
  ] as const)(
    "of an %s keeps what is absent, sets what is there, clears what is null, and is idempotent",
    async (kind, fields) => {
      const path = await make[kind]();
      await fc.assert(
        fc.asyncProperty(
          fc.record(fields as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] }),
          async (patch) => {
            const before = await read(path);
            const first = await api.request("PATCH", path, { body: patch });
            expect([patch, first.status]).toEqual([patch, 200]);
            const after = await read(path);
            // The other names of the same fields follow.
            const twin = { throttleRate: "rateLimit", eventTypes: "filterTypes" } as Record<string, string>;
            const expected = { ...before, ...patch };
            for (const [key, other] of Object.entries(twin)) if (key in patch) expected[other] = patch[key];
            // A flag is the list of it.
            if ("featureFlag" in patch)
              expected.featureFlags = patch.featureFlag === null ? null : [patch.featureFlag];
            expect(after).toEqual(expected);
            const { updatedAt: _, ...again } = (await api.request("PATCH", path, { body: patch })).body;
            expect(again).toEqual(after);
          },
        ),
        { seed, numRuns: 30 },
      );
    },
  );

  test("with nothing in it changes nothing, and with one field too wrong changes none", async () => {
    const path = await make.application();
    const before = (await api.request("GET", path)).body;
    const { updatedAt: _, ...same } = (await api.request("PATCH", path, { body: {} })).body;
    expect({ ...same, updatedAt: before.updatedAt }).toEqual(before);
    const wrong = { name: "changed", metadata: { k: 1 } };
    expect((await api.request("PATCH", path, { body: wrong })).status).toBe(422);
    expect((await api.request("GET", path)).body.name).toBe("n");
  });
});
