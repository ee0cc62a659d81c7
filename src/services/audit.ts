import type { TxRepos } from "../repos/index.ts";
import { actorName, type Context } from "./context.ts";

/** Writes down who did what, in the transaction that does it. */
export const audit = (
  ctx: Pick<Context, "actor" | "orgId">,
  tx: TxRepos,
  entry: { action: string; target?: string; detail?: Record<string, unknown> },
): Promise<void> => tx.auditLog.insert({ orgId: ctx.orgId, actor: actorName(ctx.actor), ...entry });
