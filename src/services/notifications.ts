import type { Sql } from "postgres";
import type { Logger } from "../lib/log.ts";

/** Something is due that nobody holds. */
export const dueChannel = "posthorn_due";
/** There is a new background task. */
export const tasksChannel = "posthorn_tasks";
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

/** Calls back at every notification, and after every reconnection, since what was sent meanwhile is lost. */
export async function listen(
  direct: Sql,
  channel: string,
  onNews: () => void,
): Promise<{ stop(): Promise<void> }> {
  const { unlisten } = await direct.listen(channel, onNews, onNews);
  return { stop: unlisten };
}
