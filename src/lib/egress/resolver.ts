import { lookup } from "node:dns/promises";
import { codeOf } from "./failures.ts";
import type { Guard } from "./guard.ts";
import type { Failure, Resolver } from "./types.ts";

/** Addresses that may be dialled, or why none may. */
export type Resolution = readonly string[] | Failure;

export type Addresses = {
  /** What is known about a name right now, or undefined. Never waits. */
  known(host: string): Resolution | undefined;
  /** Asks, unless the same question is already under way. Never rejects. */
  find(host: string): Promise<Resolution>;
};

/** Short, since a receiver that moves should be followed soon; what is dialled is checked, however old it is. */
const TTL_MS = 10_000;
/** A name that could not be resolved is asked for again sooner. */
const FAILED_TTL_MS = 1_000;
const ENTRIES_MAX = 10_000;
/** One answer may carry hundreds; nobody waits for that many dead ones. */
const ADDRESSES_MAX = 8;

/** The operating system's resolver, `/etc/hosts` included. */
export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/** One denied address blocks the name: a name that points inside at all is not one to send to. */
function judge(host: string, found: readonly string[], guard: Guard): Resolution {
  if (found.length === 0) return { reason: "dns", message: `${host} has no address` };
  for (const address of found) {
    const refusal = guard.refusal(address);
    if (refusal !== null) return { reason: "blocked", message: `${refusal}, which ${host} resolves to` };
  }
  return found.slice(0, ADDRESSES_MAX);
}

function failureOf(host: string, error: unknown): Failure {
  const unknown = ["ENOTFOUND", "DNS_ENOTFOUND", "DNS_ENODATA", "ENODATA"].includes(codeOf(error));
  return {
    reason: "dns",
    message: unknown ? `${host} has no address` : `${host} could not be resolved`,
  };
}

export function createAddresses(guard: Guard, resolve: Resolver = systemResolver): Addresses {
  const cache = new Map<string, { resolution: Resolution; until: number }>();
  const asking = new Map<string, Promise<Resolution>>();

  async function ask(host: string): Promise<Resolution> {
    let resolution: Resolution;
    try {
      resolution = judge(host, await resolve(host), guard);
    } catch (error) {
      resolution = failureOf(host, error);
    }
    const failed = "reason" in resolution && resolution.reason === "dns";
    cache.delete(host);
    if (cache.size >= ENTRIES_MAX) for (const oldest of cache.keys()) if (cache.delete(oldest)) break;
    cache.set(host, { resolution, until: performance.now() + (failed ? FAILED_TTL_MS : TTL_MS) });
    return resolution;
  }

  return {
    known(host) {
      const entry = cache.get(host);
      return entry !== undefined && entry.until > performance.now() ? entry.resolution : undefined;
    },
    find(host) {
      let question = asking.get(host);
      if (question === undefined) {
        question = ask(host).finally(() => asking.delete(host));
        asking.set(host, question);
      }
      return question;
    },
  };
}
