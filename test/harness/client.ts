/** A client over plain HTTP, for tests that are about something other than the SDKs. */
import { orgToken } from "./binary.ts";
import type { Receiver } from "./receiver.ts";

export type Client = {
  post<T>(path: string, body: object): Promise<T>;
  get<T>(path: string): Promise<T>;
};

export function createClient(url: string): Client {
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${orgToken}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    post: (path, body) => call("POST", path, body) as Promise<never>,
    get: (path) => call("GET", path) as Promise<never>,
  };
}

/** An application with an endpoint at the receiver. @returns the way to send it a message, which gives its id */
export async function createTarget(client: Client, receiver: Receiver, uid = "acme") {
  await client.post("/app", { name: uid, uid });
  const { id } = await client.post<{ id: string }>(`/app/${uid}/endpoint`, { url: receiver.url });
  const { key } = await client.get<{ key: string }>(`/app/${uid}/endpoint/${id}/secret`);
  receiver.verifyWith(key);
  return { endpointId: id, send: (through = client) => sendMessage(through, uid) };
}

const sendMessage = async (client: Client, uid: string): Promise<string> =>
  (await client.post<{ id: string }>(`/app/${uid}/msg`, { eventType: "invoice.paid", payload: { n: 1 } })).id;
