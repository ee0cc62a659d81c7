import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as sdk2 from "svix";
import * as sdk1 from "svix-1";
import { type Api, orgToken, startApi } from "../harness/api.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const url = "https://receiver.example/hook";

/** What the two generations call by different names. */
const generations = {
  "svix 2.5.0": async () => {
    const svix = new sdk2.Svix(await orgToken("org_two"), { serverUrl: api.url });
    return {
      svix,
      portal: (token: string) => new sdk2.Svix(token, { serverUrl: api.url }),
      ApiException: sdk2.ApiException,
      putApplication: (id: string, body: sdk2.ApplicationIn) => svix.application.upsert(id, body),
      putEventType: (name: string, body: { description: string }) => svix.eventType.upsert(name, body),
      putEndpoint: (app: string, id: string, body: { url: string; uid?: string }) =>
        svix.endpoint.upsert(app, id, body),
      putHeaders: (app: string, id: string, headers: Record<string, string>) =>
        svix.endpoint.setHeaders(app, id, { headers }),
    };
  },
  "svix 1.99.1": async () => {
    const svix = new sdk1.Svix(await orgToken("org_one"), { serverUrl: api.url });
    return {
      svix,
      portal: (token: string) => new sdk1.Svix(token, { serverUrl: api.url }),
      ApiException: sdk1.ApiException,
      putApplication: (id: string, body: sdk1.ApplicationIn) => svix.application.update(id, body),
      putEventType: (name: string, body: { description: string }) => svix.eventType.update(name, body),
      putEndpoint: (app: string, id: string, body: { url: string; uid?: string }) =>
        svix.endpoint.update(app, id, body),
      putHeaders: (app: string, id: string, headers: Record<string, string>) =>
        svix.endpoint.updateHeaders(app, id, { headers }),
    };
  },
};

describe.each(Object.entries(generations))("%s", (_, connect) => {
  let client: Awaited<ReturnType<typeof connect>>;
  beforeAll(async () => {
    client = await connect();
  });

  test("applications", async () => {
    const { application } = client.svix;
    const made = await application.create({ name: "App", uid: "app", throttleRate: 9, metadata: { a: "b" } });
    expect(made).toMatchObject({ name: "App", uid: "app", throttleRate: 9, metadata: { a: "b" } });
    expect(made.createdAt).toBeInstanceOf(Date);
    expect(await application.getOrCreate({ name: "Ignored", uid: "app" })).toEqual(made);
    expect(await application.get("app")).toEqual(made);
    expect((await client.putApplication("app", { name: "Put", uid: "app" })).throttleRate).toBeNil();
    expect(await application.patch("app", { metadata: { c: "d" } })).toMatchObject({
      name: "Put",
      metadata: { c: "d" },
    });
    await application.create({ name: "Second", uid: "second" });
    const page = await application.list({ limit: 1 });
    expect([page.data[0]?.name, page.done]).toEqual(["Put", false]);
    const next = await application.list({ limit: 1, iterator: page.iterator });
    expect([next.data[0]?.name, next.done]).toEqual(["Second", true]);
    expect(await application.delete("second")).toBeNil();
  });

  test("event types", async () => {
    const { eventType } = client.svix;
    const schemas = { "1": { type: "object" } };
    const made = await eventType.create({
      name: "user.signup",
      description: "d",
      schemas,
      groupName: "user",
    });
    expect(made).toMatchObject({ name: "user.signup", schemas, groupName: "user", archived: false });
    expect(await eventType.get("user.signup")).toEqual(made);
    expect(await client.putEventType("user.left", { description: "left" })).toMatchObject({
      name: "user.left",
    });
    expect((await eventType.patch("user.left", { deprecated: true })).deprecated).toBeTrue();
    await eventType.delete("user.left");
    const names = async (options?: { includeArchived?: boolean; withContent?: boolean }) =>
      (await eventType.list(options)).data.map(({ name, schemas }) => [name, schemas ?? null]);
    expect(await names()).toEqual([["user.signup", null]]);
    expect(await names({ includeArchived: true, withContent: true })).toEqual([
      ["user.left", null],
      ["user.signup", schemas],
    ]);
    await eventType.delete("user.left", { expunge: true });
    expect(await names({ includeArchived: true })).toHaveLength(1);
  });

  test("endpoints, their headers and secrets", async () => {
    const { endpoint } = client.svix;
    const made = await endpoint.create("app", {
      url,
      uid: "ep",
      channels: ["c"],
      ...{ eventTypes: ["user.signup"], filterTypes: ["user.signup"] },
    });
    expect(made).toMatchObject({ url, uid: "ep", channels: ["c"], disabled: false });
    expect(made).toMatchObject(
      "filterTypes" in made ? { filterTypes: ["user.signup"], version: 1 } : { eventTypes: ["user.signup"] },
    );
    expect(await endpoint.get("app", "ep")).toEqual(made);
    expect((await client.putEndpoint("app", "ep", { url: `${url}/2`, uid: "ep" })).channels).toBeNil();
    expect((await endpoint.patch("app", "ep", { disabled: true })).disabled).toBeTrue();
    expect((await endpoint.list("app", { limit: 5 })).data).toHaveLength(1);

    await client.putHeaders("app", "ep", { "X-A": "1", Authorization: "Bearer s3cret" });
    await endpoint.patchHeaders("app", "ep", { headers: { "X-B": "2" }, deleteHeaders: ["X-A"] });
    expect(await endpoint.getHeaders("app", "ep")).toEqual({
      headers: { "X-B": "2" },
      sensitive: ["Authorization"],
    });

    const { key } = await endpoint.getSecret("app", "ep");
    expect(await endpoint.rotateSecret("app", "ep")).toBeNil();
    const rotated = await endpoint.getSecret("app", "ep");
    expect(rotated.key).not.toBe(key);
    await endpoint.rotateSecret("app", "ep", { key, gracePeriodSeconds: 0 });
    expect((await endpoint.getSecret("app", "ep")).key).toBe(key);

    expect(await endpoint.delete("app", "ep")).toBeNil();
    expect((await endpoint.list("app")).data).toEqual([]);
  });

  test("portal access", async () => {
    const { authentication } = client.svix;
    const { url: link, token } = await authentication.appPortalAccess("app", { featureFlags: ["beta"] });
    expect(link).toStartWith(`${api.url}/`);
    if ("dashboardAccess" in authentication) {
      expect((await authentication.dashboardAccess("app")).token).toBeString();
    }
    const answer = await fetch(`${api.url}/api/v1/app/app`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    const portal = client.portal(token).authentication;
    expect(await portal.logout()).toBeNil();
    expect(await authentication.expireAll("app", { sessionIds: ["one"] })).toBeNil();
  });

  test("an idempotency key", async () => {
    const { application } = client.svix;
    const create = () => application.create({ name: "Twice" }, { idempotencyKey: "twice" });
    expect((await create()).id).toBe((await create()).id);
  });

  test("errors arrive as what they are", async () => {
    const { svix, ApiException } = client;
    const code = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof ApiException)) throw error ?? new Error("it worked");
      return [error.code, error.body.code ?? error.body.detail?.[0]?.loc];
    };
    expect(await code(svix.application.get("nope"))).toEqual([404, "not_found"]);
    expect(await code(svix.application.create({ name: "x", uid: "app" }))).toEqual([409, "conflict"]);
    expect(await code(svix.eventType.create({ name: "user.signup", description: "" }))).toEqual([
      409,
      "event_type_exists",
    ]);
    expect(await code(svix.application.create({ name: "" }))).toEqual([422, ["body", "name"]]);
    expect(await code(svix.endpoint.create("app", { url: "ftp://x" }))).toEqual([422, ["body", "url"]]);
  });
});

test("tags and deliverAt go out and come back through the SDK", async () => {
  const svix = new sdk2.Svix(await orgToken("org_options"), { serverUrl: api.url });
  const { id: app } = await svix.application.create({ name: "Options" });
  const deliverAt = new Date(Date.now() + 3_600_000);
  const sent = await svix.message.create(app, {
    eventType: "user.signup",
    payload: {},
    tags: ["spring-sale"],
    deliverAt,
  });
  expect(sent).toMatchObject({ tags: ["spring-sale"], deliverAt });
  const found = await svix.message.list(app, { tag: "spring-sale" });
  expect(found.data).toMatchObject([{ id: sent.id, tags: ["spring-sale"], deliverAt }]);
  expect((await svix.message.list(app, { tag: "autumn-sale" })).data).toEqual([]);
});
