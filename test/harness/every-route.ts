import { type Api, orgToken, type RequestOptions, signJwt } from "./api.ts";
import { createRows } from "./rows.ts";

/** A tenant that has one of everything, for tests that call every route there is. */
export type Tenant = {
  /** A route's path below /api/v1 with its parameters filled in; what there is no id of gets a name that nothing has. */
  at(path: string, over?: Record<string, string>): string;
  /** What stands for one parameter of a route. */
  id(path: string, name: string): string;
  /** The document's example of a body, of today and of this tenant. */
  adapt(example: Record<string, unknown>): Record<string, unknown>;
  /** What a request to the route has to have besides: a logout spends the token that it comes with. */
  options(path: string): Promise<RequestOptions>;
  token: string;
};

/** Makes it, in an org that has nothing yet. */
export async function createTenant(api: Api, orgId = "org_a"): Promise<Tenant> {
  const token = await orgToken(orgId);
  const made = async (path: string, body: object): Promise<string> => {
    const answer = await api.request("POST", path, { body, token });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.body.id;
  };
  const app_id = await made("/app", { name: "Every", uid: "every" });
  const schemas = { "1": { type: "object", examples: [{ user: "ada" }] } };
  const eventType = { description: "known", schemas };
  await api.request("PUT", "/event-type/user.signup", { body: eventType, token });
  const endpoint_id = await made(`/app/${app_id}/endpoint`, { url: "http://127.0.0.1/", uid: "one" });
  const sink_id = await made(`/app/${app_id}/endpoint`, { url: "poll:every" });
  const message = { eventType: "user.signup", channels: null, tags: null };
  const msg_id = await made(`/app/${app_id}/msg`, { eventType: "user.signup", payload: {} });
  const rows = createRows(api.database.sql, orgId);
  const attempt = await rows.attempt(app_id, { id: msg_id, ...message }, { id: endpoint_id });
  const since = new Date().toISOString();
  const task_id = await made(`/app/${app_id}/endpoint/${endpoint_id}/recover`, { since });
  const key_id = await made("/auth/api-key", { name: "every" });
  const operational = await made("/operational-webhook/endpoint", { url: "http://127.0.0.1/", uid: "every" });
  const integ_id = await made(`/app/${app_id}/integration`, { name: "every" });
  const ids: Record<string, string> = {
    integ_id,
    ...{
      app_id,
      endpoint_id,
      sink_id,
      consumer_id: "every",
      msg_id,
      task_id,
      key_id,
      attempt_id: attempt.id,
      event_type_name: "user.signup",
    },
  };
  const id = (path: string, name: string): string => {
    if (name !== "endpoint_id") return ids[name] ?? "nothing";
    if (path.includes("/operational-webhook/")) return operational;
    return path.includes("/poller/") ? sink_id : endpoint_id;
  };
  return {
    token,
    id,
    adapt: (example) => ({
      ...example,
      ...("since" in example && { since: new Date().toISOString() }),
      ...("until" in example && { until: new Date().toISOString() }),
      ...("appIds" in example && { appIds: [app_id] }),
    }),
    at: (path, over = {}) =>
      path
        .slice("/api/v1".length)
        .replace(/[:{](\w+)\}?/g, (_, name: string) => over[name] ?? id(path, name))
        .replace("*", "anything"),
    options: async (path) =>
      path.endsWith("/logout") ? { token: await signJwt({ sub: orgId, jti: crypto.randomUUID() }) } : {},
  };
}
