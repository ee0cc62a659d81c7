import { newId } from "../../src/lib/ids.ts";
import { pageRequest } from "../../src/lib/pagination.ts";
import type { ReplayInput } from "../../src/models/background-tasks.ts";
import type { Repos } from "../../src/repos/index.ts";
import type { Filled } from "./filled-tables.ts";
import { tokenCalls } from "./token-calls.ts";

/** One entry a method: a repo or a method that is left out does not compile. */
export type Calls<R> = { [Name in keyof R]: { [Method in keyof R[Name]]: (repo: R[Name]) => unknown } };

/** How each repo of the API is called: every kind of statement that a method can issue. */
export function repoCalls(filled: Filled): Calls<Omit<Repos, "tx">> {
  const { orgId, appId, endpointId, messageId, attemptId, from, to } = filled;
  const down = pageRequest({ limit: 50 }, "descending");
  const up = pageRequest({ limit: 50 }, "ascending");
  const next = (id: string) => pageRequest({ limit: 50, iterator: id }, "descending");
  const byId = { orgId, appRef: appId, boundAppId: null };
  const byUid = { orgId, appRef: filled.appUid, boundAppId: appId };
  const each = async (...calls: Promise<unknown>[]) => {
    for (const call of calls) await call;
  };
  const messageScope = { orgId, appId, from: from.message, to: to.message };
  const attemptScope = { orgId, appId, from: from.attempt, to: to.attempt };
  const noFilter = { channel: null, tag: null, eventTypes: null };
  const noAttemptFilter = { ...noFilter, status: null, statusCodes: null, endpointId: null };
  const everyFilter = {
    ...noAttemptFilter,
    channel: "c",
    tag: "t",
    eventTypes: ["a", "b"],
    statusCodes: { from: 400, to: 499 },
    endpointId,
  };
  const input: ReplayInput = {
    endpointId,
    since: new Date(0).toISOString(),
    until: new Date().toISOString(),
    only: "failed",
    eventTypes: ["a"],
    channel: "c",
    tag: "t",
    statusCodeClass: 500,
    rate: 10,
    asked: "x",
  };
  const batch = { orgId, appId, input, afterId: from.message, beforeId: to.message, batchSize: 500 };
  const task = newId("qtask_");
  const consumer = { orgId, endpointId, consumerId: "warehouse" };
  const uuid = crypto.randomUUID();
  const types = { orgId, featureFlags: ["f"] };
  const eventType = { id: newId("evtype_"), orgId, name: "n", description: "" };
  const soon = new Date(Date.now() + 60_000).toISOString();
  const canceled = {
    ...{ id: newId("atmpt_"), orgId, appId, messageId, endpointId, eventType: "a", trigger: 0, attempt: 0 },
    ...{ status: 4, responseStatusCode: 0, durationMs: 0, url: "https://receiver.example/" },
  };
  const old = {
    table: "messages",
    name: "messages_20200106",
    fromId: newId("msg_", 0),
    toId: newId("msg_", 1.45e12),
  } as const;

  return {
    applications: {
      find: (repo) => each(repo.find(orgId, appId), repo.find(orgId, filled.appUid)),
      lock: (repo) => repo.lock(orgId, appId),
      markPolled: (repo) => repo.markPolled(orgId, appId),
      resolve: (repo) => repo.resolve(orgId, [appId, filled.appUid]),
      list: (repo) =>
        each(repo.list(orgId, up), repo.list(orgId, pageRequest({ iterator: appId }, "descending"))),
      insert: (repo) => repo.insert({ id: newId("app_"), orgId, name: "x", uid: "new" }),
      update: (repo) => repo.update(orgId, filled.appUid, { name: "y" }),
      remove: (repo) => repo.remove(orgId, appId),
    },
    attempts: {
      find: (repo) => repo.find(orgId, appId, messageId, attemptId),
      findHeaders: (repo) => repo.findHeaders(orgId, appId, messageId, attemptId),
      list: (repo) =>
        each(
          repo.list({ ...attemptScope, endpointId }, down, noAttemptFilter),
          repo.list({ ...attemptScope, endpointId }, next(attemptId), { ...noAttemptFilter, status: 2 }),
          repo.list({ ...attemptScope, endpointId }, up, { ...noAttemptFilter, status: 0 }),
          repo.list({ ...attemptScope, endpointId }, down, { ...noAttemptFilter, status: 4 }),
          repo.list({ ...attemptScope, endpointId }, down, everyFilter),
          repo.list({ ...attemptScope, messageId }, down, noAttemptFilter),
          repo.list({ ...attemptScope, messageId }, down, { ...everyFilter, status: 2 }),
        ),
      scannedTo: (repo) =>
        each(
          repo.scannedTo({ ...attemptScope, endpointId }, down, everyFilter),
          repo.scannedTo({ ...attemptScope, endpointId }, down, { ...everyFilter, status: 2 }),
          repo.scannedTo({ ...attemptScope, messageId }, down, everyFilter),
        ),
      removeContent: (repo) => repo.removeContent(orgId, appId, messageId, attemptId),
      countNewest: (repo) =>
        each(
          repo.countNewest({ ...attemptScope, endpointId }, noAttemptFilter, 10_000),
          repo.countNewest({ ...attemptScope, endpointId }, { ...noAttemptFilter, status: 4 }, 10_000),
          repo.countNewest({ ...attemptScope, messageId }, everyFilter, 10_000),
        ),
      insertAll: (repo) => repo.insertAll([canceled]),
    },
    attemptCounts: {
      mark: (repo) => repo.mark(),
      moveMark: (repo) => repo.moveMark({ beforeId: "", rewinds: 0 }, attemptId),
      countHours: (repo) =>
        repo.countHours({
          mark: { beforeId: "", rewinds: 0 },
          hours: [attemptId, filled.lateAttemptId],
          toId: to.attempt,
          afterId: endpointId,
          limit: 500,
        }),
      count: (repo) =>
        repo.count(
          endpointId,
          {
            from: from.attempt,
            countedFrom: attemptId,
            countedTo: filled.lateAttemptId,
            to: to.attempt,
          },
          { beforeId: "", rewinds: 0 },
        ),
    },
    auditLog: { insert: (repo) => repo.insert({ actor: "x", action: "y" }) },
    backgroundTasks: {
      announce: (repo) => repo.announce(),
      insert: (repo) =>
        repo.insert({ id: task, orgId, appId, kind: "endpoint.replay", status: "running", input }),
      find: (repo) => repo.find(orgId, task),
      lock: (repo) => repo.lock(orgId, task),
      list: (repo) => repo.list(orgId, down, { status: ["running"], kinds: ["endpoint.replay"] }),
      findRunning: (repo) => repo.findRunning(orgId, appId, "endpoint.backfill", { endpointId, asked: "x" }),
      claim: (repo) => repo.claim(uuid, 30),
      claimPurge: (repo) => repo.claimPurge(uuid, 30),
      claimUsage: (repo) => repo.claimUsage(uuid, 30),
      addOutput: (repo) => repo.addOutput(task, [{ appId }]),
      lease: (repo) => repo.lease(orgId, task, uuid, 30),
      release: (repo) => repo.release(task, uuid),
      advance: (repo) => repo.advance(task, { cursor: messageId, scanned: 1, queued: 1, leaseSeconds: 30 }),
      end: (repo) => repo.end(orgId, task, "finished"),
    },
    deliveryStates: {
      listMessages: (repo) =>
        each(
          repo.listMessages({ ...messageScope, endpointId, toAttemptId: to.attempt }, down, {
            ...noFilter,
            status: null,
          }),
          repo.listMessages({ ...messageScope, endpointId, toAttemptId: to.attempt }, next(messageId), {
            channel: "c",
            tag: "t",
            eventTypes: ["a"],
            status: 3,
          }),
        ),
      listEndpoints: (repo) => repo.listEndpoints({ orgId, appId, messageId, toAttemptId: to.attempt }, up),
    },
    endpointHealth: {
      find: (repo) => repo.find(orgId, endpointId),
      forget: (repo) => repo.forget(orgId, endpointId),
    },
    endpoints: {
      find: (repo) => each(repo.find(byId, endpointId), repo.find(byUid, "uid1")),
      list: (repo) => each(repo.list(byId, down), repo.list(byUid, next(endpointId))),
      anyWants: (repo) => repo.anyWants(orgId, appId, { eventType: "a", channels: ["c"] }),
      insert: (repo) => repo.insert({ id: newId("ep_"), orgId, appId, url: "https://receiver.example/" }),
      update: (repo) => repo.update(byUid, endpointId, { description: "x" }),
      mergeHeaders: (repo) => repo.mergeHeaders(byId, endpointId, { remove: ["a"], add: { b: "c" } }),
      lock: (repo) => repo.lock(byId, endpointId),
      touch: (repo) => repo.touch(byId, endpointId),
      remove: (repo) => repo.remove(byId, endpointId),
      removeAll: (repo) => repo.removeAll(orgId, appId),
    },
    endpointSecrets: {
      findCurrent: (repo) => repo.findCurrent(byUid, endpointId),
      prune: (repo) => repo.prune(orgId, endpointId),
      expireCurrent: (repo) => repo.expireCurrent(orgId, endpointId, 60),
      insert: (repo) => repo.insert(orgId, endpointId, "whsec_y"),
    },
    erasure: {
      count: (repo) => repo.count(orgId, appId),
      nextEndpoint: (repo) => repo.nextEndpoint(orgId, appId),
      deleteDeliveries: (repo) => repo.deleteDeliveries(orgId, endpointId, 1000),
      hasDeliveries: (repo) => repo.hasDeliveries(orgId, endpointId),
      deleteAttempts: (repo) =>
        each(
          repo.deleteAttempts(orgId, endpointId, null, 1000),
          repo.deleteAttempts(orgId, endpointId, attemptId, 1000),
        ),
      deleteMessages: (repo) =>
        each(
          repo.deleteMessages(orgId, appId, null, 1000),
          repo.deleteMessages(orgId, appId, messageId, 1000),
        ),
      deleteEventIds: (repo) => repo.deleteEventIds(appId, 1000),
      deleteEndpoint: (repo) => repo.deleteEndpoint(orgId, newId("ep_")),
      deleteApplication: (repo) => repo.deleteApplication(orgId, newId("app_")),
    },
    eventTypes: {
      find: (repo) => repo.find(types, "n"),
      list: (repo) => repo.list(types, up, { includeArchived: false, withSchemas: true }),
      missing: (repo) => repo.missing(types, ["a", "b"]),
      listRetrySchedules: (repo) => repo.listRetrySchedules(orgId),
      listValidating: (repo) => repo.listValidating(),
      findValidating: (repo) => repo.findValidating(orgId, "n"),
      announce: (repo) => repo.announce(),
      insert: (repo) => repo.insert(eventType),
      upsert: (repo) => repo.upsert(eventType),
      update: (repo) => repo.update(orgId, "n", { description: "x" }),
      archiveOthers: (repo) => repo.archiveOthers(orgId, ["n"]),
      expunge: (repo) => repo.expunge(orgId, "n"),
    },
    health: { write: (repo) => repo.write() },
    idempotencyKeys: {
      claim: (repo) => repo.claim({ key: uuid, bodyHash: uuid, orgId, lockSeconds: 10 }),
      keep: (repo) => repo.keep(uuid, soon, { status: 200, response: "{}" }),
      release: (repo) => repo.release(uuid, soon),
    },
    messages: {
      find: (repo) =>
        each(repo.find(orgId, appId, messageId, true), repo.find(orgId, appId, "event7", false)),
      list: (repo) =>
        each(
          repo.list(messageScope, down, noFilter, true),
          repo.list(messageScope, next(messageId), { channel: "c", tag: "t", eventTypes: ["a"] }, false),
          repo.list({ ...messageScope, appId: filled.otherApp.id }, up, noFilter, true),
          repo.list({ ...messageScope, from: messageId }, up, { ...noFilter, channels: ["c"] }, true),
        ),
      scannedTo: (repo) => repo.scannedTo(messageScope, next(messageId)),
      findAll: (repo) => repo.findAll(orgId, appId, [messageId, from.message], true),
      insert: (repo) =>
        repo.insert({ id: newId("msg_"), orgId, appId, eventType: "user.created", payload: "{}" }, 90),
      removeContent: (repo) => repo.removeContent(orgId, appId, messageId),
      removeContents: (repo) => repo.removeContents(orgId, appId, [messageId, "event7"]),
      removeNextContents: (repo) =>
        repo.removeNextContents({
          orgId,
          appId,
          afterId: from.message,
          beforeId: to.message,
          batchSize: 100,
        }),
    },
    operator: {
      findEndpoint: (repo) => repo.findEndpoint(endpointId),
      findApplication: (repo) => repo.findApplication(appId),
      countSecrets: (repo) => repo.countSecrets(),
      listSecrets: (repo) => repo.listSecrets(0, 500),
      replaceSecrets: (repo) => repo.replaceSecrets([{ id: 1, from: "whsec_x", to: "whsec_y" }]),
    },
    inspection: {
      queue: (repo) => repo.queue(10),
      breakers: (repo) => repo.breakers(),
      server: (repo) => repo.server(),
      settings: (repo) => repo.settings(),
      oldestTransaction: (repo) => repo.oldestTransaction(),
      overdue: (repo) => repo.overdue(300),
      schedules: (repo) => repo.schedules(),
      idleTasks: (repo) => repo.idleTasks(600),
      secretsByKey: (repo) => repo.secretsByKey(),
      workers: (repo) => repo.workers(),
      countMessages: (repo) => repo.countMessages(filled.lateMessageId),
      countAttempts: (repo) => repo.countAttempts(`atmpt_${filled.lateMessageId.slice(4)}`, from.attempt),
      sizes: (repo) => repo.sizes(),
    },
    partitions: {
      list: (repo) => repo.list(),
      lock: (repo) => repo.lock(),
      create: (repo) => repo.create(old),
      detach: (repo) => repo.detach("messages", old.name).catch(() => {}),
      finishDetach: (repo) => repo.finishDetach("messages", old.name).catch(() => {}),
      drop: (repo) => repo.drop("messages_20190107"),
    },
    pollers: {
      newest: (repo) => repo.newest({ orgId, appId, afterId: messageId }),
      raiseFence: (repo) => repo.raiseFence(Date.now()),
      findConsumer: (repo) => repo.findConsumer(consumer),
      advance: (repo) => repo.advance(consumer, { position: messageId, seeks: 0 }),
      seek: (repo) => repo.seek(consumer, messageId),
    },
    queue: {
      insertManual: (repo) => repo.insertManual({ orgId, appId, messageId, endpointId }),
      remove: (repo) =>
        each(
          repo.remove({ orgId, appId, messageId }, null),
          repo.remove({ orgId, appId, messageId }, [endpointId]),
        ),
      insertFresh: (repo) => repo.insertFresh({ orgId, appId, messageId: newId("msg_"), endpointId }, true),
      openLine: (repo) => repo.openLine(orgId, endpointId),
      notify: (repo) => repo.notify(),
      count: (repo) => repo.count(endpointId, from.message, to.message),
    },
    replays: {
      queueBatch: (repo) =>
        each(
          repo.queueBatch(batch, { startedAt: new Date(), queuedBefore: 0 }),
          repo.queueBatch(
            {
              ...batch,
              input: {
                ...input,
                only: "missing",
                eventTypes: null,
                channel: null,
                statusCodeClass: null,
                rate: null,
              },
            },
            { startedAt: new Date(), queuedBefore: 0 },
          ),
        ),
      tryBatch: (repo) => repo.tryBatch({ ...batch, input: { ...input, only: "all" } }),
      countMessages: (repo) => repo.countMessages(appId, messageId, to.message),
    },
    retention: {
      expungePayloads: (repo) => repo.expungePayloads(1000),
      deleteIdempotencyKeys: (repo) => repo.deleteIdempotencyKeys(43_200, 1000),
      deleteEventIds: (repo) => repo.deleteEventIds(messageId, 1000),
      deleteExpiredSecrets: (repo) => repo.deleteExpiredSecrets(1000),
      deleteRevokedTokens: (repo) => repo.deleteRevokedTokens(1000),
      deleteSessionEnds: (repo) => repo.deleteSessionEnds(365, 1000),
      deleteEndedTasks: (repo) => repo.deleteEndedTasks(task, 1000),
      deleteAuditEntries: (repo) => repo.deleteAuditEntries(365, 1000),
      expungeNext: (repo) => repo.expungeNext({ afterId: from.message, beforeId: messageId, limit: 1000 }),
      countExpiredPayloads: (repo) => repo.countExpiredPayloads(),
      countPayloads: (repo) => repo.countPayloads(from.message, messageId),
      countEventIds: (repo) => repo.countEventIds(from.message),
    },
    ...tokenCalls(filled),
    operational: {
      hasEndpoints: (repo) => repo.hasEndpoints(orgId, filled.appUid),
      names: (repo) => repo.names({ appId, endpointId, messageId }),
    },
    usage: {
      countDestinations: (repo) =>
        each(
          ...[null, [appId]].map((appIds) =>
            repo.countDestinations(
              { orgId, appIds, afterAppId: null, batchSize: 20 },
              { fromAttemptId: from.attempt, toAttemptId: to.attempt },
            ),
          ),
        ),
      aggregateEventTypes: (repo) =>
        repo.aggregateEventTypes({ orgId, appIds: null, afterAppId: appId, batchSize: 500 }),
    },
    schedules: { take: (repo) => repo.take("x", 60), giveBack: (repo) => repo.giveBack("x") },
  };
}
