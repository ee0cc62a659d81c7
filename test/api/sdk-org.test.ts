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
const range = { since: new Date(Date.now() - 3_600_000), until: new Date() };

/** What the two generations call by different names. */
const generations = {
  "svix 2.5.0": (token: string) => {
    const svix = new sdk2.Svix(token, { serverUrl: api.url });
    const { endpoint } = svix.operationalWebhook;
    return {
      svix,
      putOperational: (id: string, body: { url: string; uid?: string }) => endpoint.upsert(id, body),
      putOperationalHeaders: (id: string, headers: Record<string, string>) =>
        endpoint.setHeaders(id, { headers }),
    };
  },
  "svix 1.99.1": (token: string) => {
    const svix = new sdk1.Svix(token, { serverUrl: api.url });
    const { endpoint } = svix.operationalWebhook;
    return {
      svix,
      putOperational: (id: string, body: { url: string; uid?: string }) => endpoint.update(id, body),
      putOperationalHeaders: (id: string, headers: Record<string, string>) =>
        endpoint.updateHeaders(id, { headers }),
    };
  },
};

describe.each(Object.entries(generations))("%s", (name, connect) => {
  let client: ReturnType<typeof connect>;
  beforeAll(async () => {
    client = connect(await orgToken(name === "svix 2.5.0" ? "org_two" : "org_one"));
    await client.svix.application.create({ name: "App", uid: "app" });
  });

  test("operational webhooks", async () => {
    const { endpoint } = client.svix.operationalWebhook;
    const made = await endpoint.create({ url, uid: "ops" });
    expect(made.createdAt).toBeInstanceOf(Date);
    expect((await endpoint.list()).data.map(({ id }) => id)).toEqual([made.id]);
    expect((await endpoint.get("ops")).id).toBe(made.id);
    expect((await client.putOperational("ops", { url: `${url}/2`, uid: "ops" })).url).toBe(`${url}/2`);
    await client.putOperationalHeaders("ops", { "X-One": "1" });
    expect((await endpoint.getHeaders("ops")).headers).toEqual({ "X-One": "1" });
    const { key } = await endpoint.getSecret("ops");
    expect(await endpoint.rotateSecret("ops", {})).toBeNil();
    expect((await endpoint.getSecret("ops")).key).not.toBe(key);
    expect(await endpoint.delete("ops")).toBeNil();
  });

  test("integrations", async () => {
    const { integration } = client.svix;
    const { id } = await integration.create("app", { name: "Zap" });
    expect((await integration.list("app")).data.map((one) => one.id)).toEqual([id]);
    expect((await integration.update("app", id, { name: "Zip" })).name).toBe("Zip");
    expect((await integration.get("app", id)).name).toBe("Zip");
    const { key } = await integration.rotateKey("app", id);
    if ("getKey" in integration) expect((await integration.getKey("app", id)).key).toBe(key);
    expect((await connect(key).svix.application.get("app")).name).toBe("App");
    expect(await integration.delete("app", id)).toBeNil();
  });

  test("the environment", async () => {
    const { environment, eventType } = client.svix;
    await eventType.create({ name: "user.created", description: "x" });
    const { eventTypes } = await environment.export();
    expect(eventTypes.map((one) => one.name)).toEqual(["user.created"]);
    expect(await environment.import({ eventTypes })).toBeNil();
  });

  test("usage", async () => {
    const { statistics, backgroundTask } = client.svix;
    const stats = await statistics.aggregateAppStats({ ...range, appIds: ["app", "nope"] });
    expect(stats.task as string).toBe("application.stats");
    expect(stats.unresolvedAppIds).toEqual(["nope"]);
    const types = await statistics.aggregateEventTypes();
    expect((await backgroundTask.get(types.id)).task as string).toBe("event-type.aggregate");
    expect((await backgroundTask.list()).data).toHaveLength(2);
  });

  test("an API key stands in for a token", async () => {
    const made = await fetch(`${api.url}/api/v1/auth/api-key`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await orgToken(name === "svix 2.5.0" ? "org_two" : "org_one")}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ name: "SDK" }),
    });
    const { token } = (await made.json()) as { token: string };
    const { svix } = connect(token);
    expect((await svix.application.get("app")).name).toBe("App");
    expect((await svix.message.create("app", { eventType: "a.b", payload: {} })).eventType).toBe("a.b");
  });

  test("sessions", async () => {
    const { authentication } = client.svix;
    const { token } = await authentication.appPortalAccess("app", {
      capabilities: ["ViewBase" as never],
      sessionId: "one",
      expiry: 3600,
    });
    const portal = connect(token).svix;
    expect((await portal.endpoint.list("app")).data).toEqual([]);
    expect(portal.endpoint.create("app", { url })).rejects.toMatchObject({ code: 403 });
    expect(await authentication.expireAll("app", { sessionIds: ["two"], expiry: 60 })).toBeNil();
    expect(await portal.authentication.logout()).toBeNil();
  });
});
