import { parseCidr } from "./address.ts";
import { dialDirectly, dialThrough } from "./dial.ts";
import { Exchange, type Shared } from "./exchange.ts";
import { createGuard } from "./guard.ts";
import { Pool } from "./pool.ts";
import { parseProxy } from "./proxy.ts";
import { createAddresses, type Resolution } from "./resolver.ts";
import { createTargets, type Target } from "./target.ts";
import type { Egress, EgressOutcome, EgressRequest, Resolver } from "./types.ts";

export { parseProxy } from "./proxy.ts";
export type { Egress, EgressOutcome, EgressResponse, Resolver } from "./types.ts";

/**
 * The way out of this process: POSTs over HTTP/1.1 to addresses that pass the deny table, and to no others.
 *
 * Names are resolved and judged here, and the address that was judged is the one that is dialled, also through a
 * proxy. Certificates are checked against the system's authorities and those in `NODE_EXTRA_CA_CERTS`.
 * It speaks HTTP itself over `node:net` and `node:tls`: that costs less CPU time than `fetch` (`test/bench/egress.ts`
 * measures both), dials exactly the address that was judged, and bounds heads, interim responses and bodies while they
 * arrive.
 *
 * @param options.allow address blocks that may be reached although the table denies them.
 * @param options.proxy `http://` or `https://` URL of a proxy that every connection is tunnelled through (CONNECT).
 * @param options.resolve in place of the operating system's resolver.
 * @throws Error that names the bad element of `allow`, or says that `proxy` is not such a URL.
 */
export function createEgress(options: {
  allow: readonly string[];
  proxy?: string;
  resolve?: Resolver;
}): Egress {
  const guard = createGuard(options.allow.map(parseCidr));
  const addresses = createAddresses(guard, options.resolve);
  const literals = new WeakMap<Target, Resolution>();

  function literalAddress(target: Target): Resolution {
    const known = literals.get(target);
    if (known !== undefined) return known;
    const refusal = guard.refusal(target.host);
    const resolution: Resolution = refusal === null ? [target.host] : { reason: "blocked", message: refusal };
    literals.set(target, resolution);
    return resolution;
  }

  const shared: Shared = {
    targetOf: createTargets(),
    addressesOf: (target) => (target.isLiteral ? literalAddress(target) : addresses.known(target.host)),
    addresses,
    dial: options.proxy === undefined ? dialDirectly : dialThrough(parseProxy(options.proxy)),
    pool: new Pool(),
    running: new Set(),
  };
  let closed = false;

  return {
    post(request: EgressRequest): Promise<EgressOutcome> {
      if (closed)
        return Promise.resolve({ kind: "failure", reason: "aborted", message: "aborted", durationMs: 0 });
      return new Promise((resolve) => new Exchange(shared, request, resolve).start());
    },
    close() {
      closed = true;
      for (const exchange of shared.running) exchange.abort();
      shared.pool.close();
    },
  };
}
