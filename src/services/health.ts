import type { Static } from "@sinclair/typebox";
import type { Repos } from "../repos/index.ts";
import type { Health } from "../schemas/health.ts";

/** A database that takes longer is of no use to a load balancer. */
const timeoutMs = 2_000;

export async function checkHealth(
  repos: Repos,
): Promise<{ healthy: boolean; report: Static<typeof Health> }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const answered = repos.health.ping().then(
    () => true,
    () => false,
  );
  const healthy = await Promise.race([answered, late]);
  clearTimeout(timer);
  const status = healthy ? "ok" : "error";
  return { healthy, report: { database: { status }, queue: { status }, cache: { status: "ok" } } };
}
