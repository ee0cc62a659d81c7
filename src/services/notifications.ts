import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";
import { dueChannel } from "../repos/queue.ts";

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
        await sql.notify(dueChannel, "");
      } catch (error) {
        log.debug({ err: error }, "a notification was not sent; workers poll anyway");
      }
    }, intervalMs);
  };
}

/**
 * Hears what is told on a channel.
 * @param onConnect after every connection too: what was told while there was none is lost
 */
export async function listen(
  direct: Sql,
  channel: string,
  onNews: (payload: string) => void,
  onConnect: () => void,
): Promise<{ stop(): Promise<void> }> {
  const { unlisten } = await direct.listen(channel, onNews, onConnect);
  return { stop: unlisten };
}
