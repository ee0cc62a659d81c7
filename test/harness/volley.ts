/** Many requests at once, timed: what a client sees while something is wrong. */
import { orgToken, type Service } from "./binary.ts";

export type Shot = { status: number; retryAfter: string | null; ms: number };
export type Volley = {
  /** How often each status came; 0 when there was no answer. */
  statuses: Record<number, number>;
  /** Of the answers with 503, those that don't say when to come back. */
  silent503: number;
  slowestMs: number;
};

const bodies = { eventType: "invoice.paid", payload: { n: 1 } };

export async function shoot(serve: Service, request: `${"GET" | "POST"} /${string}`): Promise<Shot> {
  const [method = "", path = ""] = request.split(" ");
  const startedAt = performance.now();
  const answer = await fetch(`${serve.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${orgToken}`, "content-type": "application/json" },
    ...(method === "POST" && { body: JSON.stringify(bodies) }),
    signal: AbortSignal.timeout(30_000),
  }).then(
    async (response) => {
      await response.arrayBuffer();
      return { status: response.status, retryAfter: response.headers.get("retry-after") };
    },
    () => ({ status: 0, retryAfter: null }),
  );
  return { ...answer, ms: performance.now() - startedAt };
}

export async function volley(
  serve: Service,
  count: number,
  request: `${"GET" | "POST"} /${string}`,
): Promise<Volley> {
  const shots = await Promise.all(Array.from({ length: count }, () => shoot(serve, request)));
  const statuses: Record<number, number> = {};
  for (const { status } of shots) statuses[status] = (statuses[status] ?? 0) + 1;
  return {
    statuses,
    silent503: shots.filter(({ status, retryAfter }) => status === 503 && retryAfter === null).length,
    slowestMs: Math.round(Math.max(...shots.map(({ ms }) => ms))),
  };
}
