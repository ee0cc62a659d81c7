import { type Api, type RequestOptions, signJwt } from "./api.ts";
import { createRows } from "./rows.ts";

/** A tenant that has one of everything, for tests that call every route there is. */
export type Tenant = {
  /** A route's path below /api/v1 with its parameters filled in; what there is no id of gets a name that nothing has. */
  at(path: string, over?: Record<string, string>): string;
  /** What a request to the route has to have besides: a logout spends the token that it comes with. */
  options(path: string): Promise<RequestOptions>;
};

/** Makes it, as `org_a`. */
export async function createTenant(api: Api): Promise<Tenant> {
  const made = async (path: string, body: object): Promise<string> => {
    const answer = await api.request("POST", path, { body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.body.id;
  };
  const app_id = await made("/app", { name: "Every", uid: "every" });
  await api.request("PUT", "/event-type/user.signup", { body: { description: "known" } });
  const endpoint_id = await made(`/app/${app_id}/endpoint`, { url: "http://127.0.0.1/", uid: "one" });
  const message = { eventType: "user.signup", channels: null };
  const msg_id = await made(`/app/${app_id}/msg`, { eventType: "user.signup", payload: {} });
  const rows = createRows(api.database.sql, "org_a");
  const attempt = await rows.attempt(app_id, { id: msg_id, ...message }, { id: endpoint_id });
  const since = new Date().toISOString();
  const task_id = await made(`/app/${app_id}/endpoint/${endpoint_id}/recover`, { since });
  const key_id = await made("/auth/api-key", { name: "every" });
  const operational = await made("/operational-webhook/endpoint", { url: "http://127.0.0.1/", uid: "every" });
  const ids: Record<string, string> = {
    ...{
      app_id,
      endpoint_id,
      msg_id,
      task_id,
      key_id,
      attempt_id: attempt.id,
      event_type_name: "user.signup",
    },
  };
  return {
    at(path, over = {}) {
      const own = path.includes("/operational-webhook/") ? { ...ids, endpoint_id: operational } : ids;
      return path
        .slice("/api/v1".length)
        .replace(/:(\w+)|\{(\w+)\}/g, (_, a: string, b: string) => over[a ?? b] ?? own[a ?? b] ?? "nothing")
        .replace("*", "anything");
    },
    options: async (path) =>
      path.endsWith("/logout") ? { token: await signJwt({ sub: "org_a", jti: crypto.randomUUID() }) } : {},
  };
}
