import type { Sql } from "postgres";
import { statementDeadlineMs } from "../lib/deadline.ts";
import type { Logger } from "../lib/log.ts";
import { createLoop } from "../lib/loop.ts";
import type { Repos } from "../repos/index.ts";
import { revocationChannel } from "../repos/revocations.ts";
import type { Authentication } from "../services/authentication.ts";
import { listen } from "../services/notifications.ts";

/** How often a process looks, in case a notification was lost: a part of the 5 s in which a revocation holds. */
const intervalMs = 3_000;
/** Past what was seen at the last look: for transactions that were under way, and for clocks that differ. */
const overlapSeconds = 10;
const usesIntervalMs = 10_000;

export type RevocationWatchParts = {
  repos: Pick<Repos, "apiKeys" | "revocations">;
  /** Past a pooler, for LISTEN. */
  direct: Sql;
  authentication: Authentication;
  log: Logger;
};

/** Looks what was revoked since the last look, and makes this process forget it. Returns how many subjects that were. */
export async function lookForRevocations(
  { repos, authentication }: Pick<RevocationWatchParts, "repos" | "authentication">,
  nowMs = Date.now(),
): Promise<number> {
  const sinceSeconds = Math.min((nowMs - authentication.syncedAtMs) / 1000, 86_400) + overlapSeconds;
  const changed = await repos.revocations.changedWithin(sinceSeconds);
  authentication.forget(changed);
  authentication.synced(nowMs);
  return changed.length;
}

/** Keeps a process's memory of tokens true, and writes down now and then which keys were used. */
export function createRevocationWatch({ repos, direct, authentication, log }: RevocationWatchParts) {
  let usesNotedAtMs = Date.now();
  const noteUses = async (): Promise<void> => {
    usesNotedAtMs = Date.now();
    const uses = authentication.takeUses();
    try {
      if (uses.length > 0) await repos.apiKeys.noteUses(uses);
    } catch (error) {
      log.warn({ err: error, keys: uses.length }, "when keys were used last could not be written down");
    }
  };
  const loop = createLoop({
    name: "revocations",
    log,
    intervalMs,
    backoffMaxMs: intervalMs,
    roundTimeoutMs: statementDeadlineMs,
    runOnce: async () => {
      await lookForRevocations({ repos, authentication });
      if (Date.now() - usesNotedAtMs >= usesIntervalMs) await noteUses();
      return "wait";
    },
  });
  let ear: { stop(): Promise<void> } | null = null;

  return {
    async start(): Promise<void> {
      loop.start();
      const forget = (subject: string) => authentication.forget([subject]);
      ear = await listen(direct, revocationChannel, forget, loop.wake);
    },
    async stop(): Promise<void> {
      await loop.stop();
      await noteUses();
      await ear?.stop();
      ear = null;
    },
  };
}
