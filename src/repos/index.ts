import type { Sql } from "postgres";
import { createApiKeysRepo } from "./api-keys.ts";
import { createApplicationsRepo } from "./applications.ts";
import { createAttemptCountsRepo } from "./attempt-counts.ts";
import { createAttemptsRepo } from "./attempts.ts";
import { createAuditLogRepo } from "./audit-log.ts";
import { createBackgroundTasksRepo } from "./background-tasks.ts";
import { createDb, type Db, type Tx } from "./db.ts";
import { createDeliveryStatesRepo } from "./delivery-states.ts";
import { createEndpointHealthRepo } from "./endpoint-health.ts";
import { createEndpointSecretsRepo } from "./endpoint-secrets.ts";
import { createEndpointsRepo } from "./endpoints.ts";
import { createErasureRepo } from "./erasure.ts";
import { createEventTypesRepo } from "./event-types.ts";
import { createHealthRepo } from "./health.ts";
import { createIdempotencyKeysRepo } from "./idempotency-keys.ts";
import { createInspectionRepo } from "./inspection.ts";
import { createIntegrationsRepo } from "./integrations.ts";
import { createMessagesRepo } from "./messages.ts";
import { createOperationalRepo } from "./operational.ts";
import { createOperatorRepo } from "./operator.ts";
import { createPartitionsRepo } from "./partitions.ts";
import { createPollerTokensRepo } from "./poller-tokens.ts";
import { createPollersRepo } from "./pollers.ts";
import { createQueueRepo } from "./queue.ts";
import { createReplaysRepo } from "./replays.ts";
import { createRetentionRepo } from "./retention.ts";
import { createRevocationsRepo } from "./revocations.ts";
import { createSchedulesRepo } from "./schedules.ts";
import { createUsageRepo } from "./usage.ts";

const bundle = (db: Db | Tx) => ({
  apiKeys: createApiKeysRepo(db),
  applications: createApplicationsRepo(db),
  attemptCounts: createAttemptCountsRepo(db),
  attempts: createAttemptsRepo(db),
  auditLog: createAuditLogRepo(db),
  backgroundTasks: createBackgroundTasksRepo(db),
  deliveryStates: createDeliveryStatesRepo(db),
  endpointHealth: createEndpointHealthRepo(db),
  endpointSecrets: createEndpointSecretsRepo(db),
  endpoints: createEndpointsRepo(db),
  erasure: createErasureRepo(db),
  eventTypes: createEventTypesRepo(db),
  health: createHealthRepo(db),
  idempotencyKeys: createIdempotencyKeysRepo(db),
  inspection: createInspectionRepo(db),
  integrations: createIntegrationsRepo(db),
  messages: createMessagesRepo(db),
  operational: createOperationalRepo(db),
  operator: createOperatorRepo(db),
  partitions: createPartitionsRepo(db),
  pollerTokens: createPollerTokensRepo(db),
  pollers: createPollersRepo(db),
  queue: createQueueRepo(db),
  replays: createReplaysRepo(db),
  retention: createRetentionRepo(db),
  revocations: createRevocationsRepo(db),
  schedules: createSchedulesRepo(db),
  usage: createUsageRepo(db),
});

/** What runs after the commit, and not at all after a rollback. */
type Effect = () => void;

/** The repos inside a transaction: what must be atomic asks for these. */
export type TxRepos = ReturnType<typeof bundle> & {
  readonly inTransaction: true;
  onCommit(effect: Effect): void;
};

export type Repos = ReturnType<typeof bundle> & { tx<T>(work: (tx: TxRepos) => Promise<T>): Promise<T> };

/** @param client taken over by drizzle: it changes the client's date parsers */
export function createRepos(client: Sql): Repos {
  const db = createDb(client);
  return {
    ...bundle(db),
    async tx(work) {
      const effects: Effect[] = [];
      const result = await db.transaction((tx) =>
        work({ ...bundle(tx), inTransaction: true, onCommit: (effect) => effects.push(effect) }),
      );
      for (const effect of effects) effect();
      return result;
    },
  };
}
