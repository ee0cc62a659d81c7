import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";

/** Something is due that nobody holds. */
const channel = "posthorn_due";
/** Between two notifications of one process: what happens meanwhile is told by the next. */
const intervalMs = 10;

/** Tells every worker that something is due; many calls in a short time become one. */
export function createNotifier(sql: Sql, log: Logger): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    setTimeout(async () => {
      pending = false;
      try {
        await sql.notify(channel, "");
      } catch (error) {
        log.debug({ err: error }, "a notification was not sent; workers poll anyway");
      }
    }, intervalMs);
  };
}

/** Calls `onDue` at every notification, and after every reconnection, since what was sent meanwhile is lost. */
export async function listenForDue(direct: Sql, onDue: () => void): Promise<{ stop(): Promise<void> }> {
  const { unlisten } = await direct.listen(channel, onDue, onDue);
  return { stop: unlisten };
}
