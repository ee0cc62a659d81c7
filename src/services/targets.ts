import type { TargetRow, TargetsRepo } from "../repos/targets.ts";
import { parseSecret, type WebhookKey } from "./webhook-secrets.ts";

/** An endpoint, ready to be delivered to. */
export type Target = {
  id: string;
  revision: number;
  url: string;
  headers: Record<string, string>;
  /** Null for the server's. */
  timeoutMs: number | null;
  /** Null for the event type's, or else the server's. */
  retrySchedule: readonly number[] | null;
  keys: { key: WebhookKey; expiresAtMs: number }[];
};

export type Targets = {
  /** The endpoint as of that revision or a later one; null when it is gone. */
  get(endpointId: string, revision: number): Target | null | Promise<Target | null>;
};

const cacheEntriesMax = 20_000;

/**
 * The endpoints that this process delivers to, remembered. Every delivery names the revision that its endpoint had
 * when it was queued or claimed, so that nothing stale is used and nothing needs to be told of a change.
 * @param open unseals a secret that is stored encrypted
 */
export function createTargets(repo: TargetsRepo, open: (secret: string) => string): Targets {
  const known = new Map<string, Target>();
  const loading = new Map<string, Promise<Target | null>>();
  let wanted: string[] = [];
  let batch: Promise<Map<string, TargetRow>> | null = null;

  // What is asked for in the same turn of the event loop is loaded in one round trip.
  const loadTogether = (id: string): Promise<Map<string, TargetRow>> => {
    wanted.push(id);
    batch ??= Promise.resolve().then(async () => {
      const ids = wanted;
      wanted = [];
      batch = null;
      return new Map((await repo.load(ids)).map((row) => [row.id, row]));
    });
    return batch;
  };

  const load = async (id: string): Promise<Target | null> => {
    try {
      const row = (await loadTogether(id)).get(id);
      if (row === undefined) return null;
      const target = prepare(row, open);
      if (known.size >= cacheEntriesMax) known.delete(known.keys().next().value as string);
      known.delete(id);
      known.set(id, target);
      return target;
    } finally {
      loading.delete(id);
    }
  };

  return {
    get(id, revision) {
      const target = known.get(id);
      if (target !== undefined && target.revision >= revision) return target;
      let pending = loading.get(id);
      if (pending === undefined) {
        pending = load(id);
        loading.set(id, pending);
      }
      return pending;
    },
  };
}

function prepare(row: TargetRow, open: (secret: string) => string): Target {
  return {
    id: row.id,
    revision: row.revision,
    url: row.url,
    headers: row.headers,
    timeoutMs: row.deliveryTimeoutMs,
    retrySchedule: row.retrySchedule,
    keys: row.secrets.map(({ secret, expiresAt }) => ({
      key: parseSecret(open(secret)),
      expiresAtMs: expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    })),
  };
}
