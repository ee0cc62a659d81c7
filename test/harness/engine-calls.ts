import type { Sql } from "postgres";
import { newId } from "../../src/lib/ids.ts";
import { createDeliveriesRepo } from "../../src/repos/deliveries.ts";
import { createIntakeRepo } from "../../src/repos/intake.ts";
import { createOutcomesRepo } from "../../src/repos/outcomes.ts";
import { createTargetsRepo } from "../../src/repos/targets.ts";
import { createThrottlesRepo } from "../../src/repos/throttles.ts";
import { createTurnsRepo } from "../../src/repos/turns.ts";
import { createWorkersRepo } from "../../src/repos/workers.ts";
import type { Filled } from "./filled-tables.ts";
import type { Calls } from "./repo-calls.ts";

/** The repos of the hot statements, on a connection with the engine's settings. */
export const engineRepos = (sql: Sql) => ({
  deliveries: createDeliveriesRepo(sql),
  intake: createIntakeRepo(sql),
  outcomes: createOutcomesRepo(sql),
  targets: createTargetsRepo(sql),
  throttles: createThrottlesRepo(sql),
  turns: createTurnsRepo(sql),
  workers: createWorkersRepo(sql),
});

export function engineCalls(filled: Filled): Calls<ReturnType<typeof engineRepos>> {
  const { orgId, appId, endpointId, fifoEndpointId, lateMessageId } = filled;
  const lease = crypto.randomUUID();
  const keys = [{ messageId: filled.messageId, endpointId, trigger: 0, lease }];
  const row = {
    id: newId("msg_"),
    orgId,
    appRef: appId,
    eventType: "a",
    eventId: "new",
    channels: ["c"],
    tags: ["t"],
    deliverAt: null,
    payload: "{}",
    contentType: null,
    payloadRetentionHours: 2160,
    idempotency: { key: lease, bodyHash: lease },
  };
  const outcome = {
    attemptId: newId("atmpt_"),
    orgId,
    appId,
    messageId: lateMessageId,
    endpointId,
    eventType: "a",
    channels: ["c"],
    tags: ["t"],
    trigger: 0,
    attempt: 1,
    lease,
    probe: false,
    succeeded: false,
    responseStatusCode: 500,
    response: "no",
    durationMs: 5,
    url: "https://receiver.example/",
    retryInMs: null,
    sentHeaders: null,
    responseHeaders: null,
  };
  const hold = { lease, leaseSeconds: 30, saturated: [endpointId], deliveriesMax: 100, perEndpointMax: 10 };
  return {
    deliveries: {
      claim: (repo) =>
        repo.claim({
          lease,
          leaseSeconds: 30,
          after: "",
          saturated: [endpointId],
          deliveriesMax: 100,
          perEndpointMax: 10,
          endpointsMax: 100,
        }),
      release: (repo) => repo.release(keys, 0),
      releaseLeases: (repo) => repo.releaseLeases({ from: lease, to: lease }),
      drop: (repo) => repo.drop(keys),
    },
    intake: {
      insert: (repo) =>
        repo.insert([row, { ...row, id: newId("msg_"), appRef: "uid2", idempotency: null }], hold),
      findByKey: (repo) => repo.findByKey(orgId, lease),
      releaseKey: (repo) => repo.releaseKey(orgId, lease, lateMessageId),
    },
    outcomes: {
      record: async (repo) => {
        await repo.record([outcome], null);
        await repo.record([{ ...outcome, attemptId: newId("atmpt_") }], filled.attemptId);
      },
      disableEndpoint: (repo) => repo.disableEndpoint(orgId, endpointId),
      disableIfFailing: (repo) => repo.disableIfFailing(orgId, endpointId, 60),
    },
    targets: { load: (repo) => repo.load([endpointId]) },
    throttles: {
      reserve: (repo) => repo.reserve(endpointId),
      claim: (repo) =>
        repo.claim(endpointId, { lease, leaseSeconds: 30, aheadSeconds: 1, deliveriesMax: 10 }),
    },
    turns: {
      claim: (repo) =>
        repo.claim([{ endpointId: fifoEndpointId, held: null }], {
          lease,
          leaseSeconds: 30,
          perLineMax: 50,
        }),
      end: (repo) => repo.end([{ endpointId: fifoEndpointId, lease }]),
    },
    workers: {
      beat: (repo) => repo.beat("w", 10),
      forgetOthers: (repo) => repo.forgetOthers("w"),
      forget: (repo) => repo.forget("w"),
    },
  };
}
