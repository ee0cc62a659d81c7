import { newId } from "../../src/lib/ids.ts";
import { pageRequest } from "../../src/lib/pagination.ts";
import type { Repos } from "../../src/repos/index.ts";
import type { Filled } from "./filled-tables.ts";
import type { Calls } from "./repo-calls.ts";

/** The same for what keeps keys and tokens. */
export function tokenCalls({
  orgId,
  appId,
  endpointId,
}: Filled): Calls<Pick<Repos, "apiKeys" | "revocations" | "integrations" | "pollerTokens">> {
  const down = pageRequest({ limit: 50 }, "descending");
  const next = (id: string) => pageRequest({ limit: 50, iterator: id }, "descending");
  const each = async (...calls: Promise<unknown>[]) => {
    for (const call of calls) await call;
  };
  const key = newId("key_");
  const integration = newId("integ_");
  const poller = { orgId, appId, endpointId };
  const pollerToken = newId("poll_");

  return {
    apiKeys: {
      insert: (repo) =>
        repo.insert({
          id: key,
          orgId,
          name: "n",
          scopes: ["read"],
          tokenHash: "h",
          hint: "h",
          expiresAt: null,
        }),
      find: (repo) => repo.find(orgId, key),
      findByHash: (repo) => repo.findByHash("h"),
      list: (repo) => each(repo.list(orgId, down), repo.list(orgId, next(key))),
      revoke: (repo) => repo.revoke(orgId, key),
      expire: (repo) => repo.expire(orgId, key, 60),
      noteUses: (repo) => repo.noteUses([{ id: key, usedAt: new Date() }]),
    },
    revocations: {
      isRevoked: (repo) => repo.isRevoked("h"),
      sessionEnd: (repo) => repo.sessionEnd({ appId, sessionId: "s", issuedAt: new Date() }),
      revokeToken: (repo) => repo.revokeToken({ tokenHash: "h", orgId, expiresAt: null }),
      endSession: (repo) =>
        repo.endSession({ orgId, appId, sessionId: "s", issuedUntil: new Date(), endsAt: new Date() }),
      announce: (repo) => repo.announce(appId),
      changedWithin: (repo) => repo.changedWithin(10),
    },
    integrations: {
      find: (repo) => repo.find({ orgId, appId }, integration),
      list: (repo) => each(repo.list({ orgId, appId }, down), repo.list({ orgId, appId }, next(integration))),
      insert: (repo) => repo.insert({ id: integration, orgId, appId, name: "n" }),
      update: (repo) => repo.update({ orgId, appId }, integration, { name: "n", featureFlags: ["f"] }),
      rotateKey: (repo) => repo.rotateKey({ orgId, appId }, integration),
      remove: (repo) => repo.remove({ orgId, appId }, integration),
    },
    pollerTokens: {
      find: (repo) => repo.find(poller, pollerToken),
      findCurrent: (repo) => repo.findCurrent(poller),
      insert: (repo) => repo.insert(poller, pollerToken, 60),
      expireAll: (repo) => repo.expireAll(poller, 60),
      removeEnded: (repo) => repo.removeEnded(poller),
    },
  };
}
