import { type Sealer, sealedUnder } from "../lib/sealed.ts";
import type { OperatorContext } from "./context.ts";

/** What became of a batch of secrets, or would. */
export type RotationStep = {
  scanned: number;
  /** Written anew under the key that seals now. */
  sealed: number;
  /** They stay as they are: no key that is known opens them. */
  unreadable: { endpointId: string; keyId: string }[];
  /** Where the next batch begins; null when there is none. */
  cursor: number | null;
};

/** How many secrets there are to look at. */
export const countSecrets = ({ repos }: OperatorContext): Promise<number> => repos.operator.countSecrets();

/** Writes down that somebody begins to seal all secrets with that key. */
export const announceRotation = (ctx: OperatorContext, keyId: string): Promise<void> =>
  ctx.repos.auditLog.insert({ actor: ctx.actor, action: "endpoint-secret.rotate-key", detail: { keyId } });

/**
 * One step of sealing every secret with the sealer's key: takes the next ones that aren't, plain ones too. What they
 * open to stays the same, so no worker has to hear of it, and a step can be done any number of times.
 * @param dryRun opens them all the same, and writes nothing
 */
export async function rotateSecrets(
  { repos }: OperatorContext,
  sealer: Sealer,
  { cursor, batchSize, dryRun }: { cursor: number; batchSize: number; dryRun: boolean },
): Promise<RotationStep> {
  const rows = await repos.operator.listSecrets(cursor, batchSize);
  const changes: { id: number; from: string; to: string }[] = [];
  const unreadable: RotationStep["unreadable"] = [];
  for (const { id, endpointId, secret } of rows) {
    const keyId = sealedUnder(secret);
    const plain = openOrNull(sealer, secret);
    if (plain === null) unreadable.push({ endpointId, keyId: keyId ?? "none" });
    else if (keyId !== sealer.keyId) changes.push({ id, from: secret, to: sealer.seal(plain) });
  }
  const sealed =
    dryRun || changes.length === 0 ? changes.length : await repos.operator.replaceSecrets(changes);
  const last = rows.length < batchSize ? undefined : rows.at(-1);
  return { scanned: rows.length, sealed, unreadable, cursor: last?.id ?? null };
}

function openOrNull(sealer: Sealer, secret: string): string | null {
  try {
    return sealer.open(secret);
  } catch {
    return null;
  }
}
