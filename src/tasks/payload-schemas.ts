import type { Sql } from "postgres";
import { statementDeadlineMs } from "../lib/deadline.ts";
import type { Logger } from "../lib/log.ts";
import { createLoop } from "../lib/loop.ts";
import { eventTypeChannel } from "../repos/event-types.ts";
import { listen } from "../services/notifications.ts";
import type { PayloadSchemas } from "../services/payload-schemas.ts";

/** How often a process looks, in case a notification was lost: a change holds everywhere within 5 s. */
const intervalMs = 4_000;

export type PayloadSchemaWatchParts = {
  payloadSchemas: PayloadSchemas;
  /** Past a pooler, for LISTEN. */
  direct: Sql;
  log: Logger;
};

/** Keeps what a process knows of the event types that have payloads checked true. */
export function createPayloadSchemaWatch({ payloadSchemas, direct, log }: PayloadSchemaWatchParts) {
  const loop = createLoop({
    name: "payload-schemas",
    log,
    intervalMs,
    backoffMaxMs: intervalMs,
    roundTimeoutMs: statementDeadlineMs,
    runOnce: async () => {
      await payloadSchemas.refresh();
      return "wait";
    },
  });
  let ear: { stop(): Promise<void> } | null = null;

  return {
    /** Before the first request comes, it knows. */
    async start(): Promise<void> {
      await payloadSchemas.refresh();
      loop.start();
      ear = await listen(direct, eventTypeChannel, loop.wake, loop.wake);
    },
    async stop(): Promise<void> {
      await loop.stop();
      await ear?.stop();
      ear = null;
    },
  };
}
