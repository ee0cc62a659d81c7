import { idTime, newId } from "../lib/ids.ts";
import type { Logger } from "../lib/log.ts";
import { triggers } from "../models/deliveries.ts";
import type { Repos } from "../repos/index.ts";
import type { IntakeRow } from "../repos/intake.ts";
import type { SubjectNames } from "../repos/operational.ts";
import type { Outcome } from "../repos/outcomes.ts";
import type { AcceptResult } from "./intake.ts";

/** What an org can be told about its own endpoints and messages. */
export const operationalEventTypes = {
  "endpoint.created": "An endpoint was created.",
  "endpoint.updated": "An endpoint was changed.",
  "endpoint.deleted": "An endpoint was deleted.",
  "endpoint.enabled": "An endpoint was enabled by hand.",
  "endpoint.disabled":
    "An endpoint was disabled: by hand, because it asked for it, or after nothing but failure.",
  "message.attempt.failing": "A message has failed four times; it is tried again.",
  "message.attempt.exhausted": "A message has failed for the last time.",
  "message.attempt.recovered": "A message has arrived after it had been reported as failing.",
} as const;

type EndpointSubject = { id: string; appId: string };
export type OperationalEvent =
  | { type: "endpoint.created" | "endpoint.updated" | "endpoint.deleted"; endpoint: EndpointSubject }
  | { type: "endpoint.enabled"; endpoint: EndpointSubject }
  | { type: "endpoint.disabled"; endpoint: EndpointSubject; trigger: "manual" | "automatic" }
  | {
      type: "message.attempt.failing" | "message.attempt.exhausted" | "message.attempt.recovered";
      attempt: Outcome;
    };

export type OperationalEvents = {
  /** Tells an org's operational endpoints, if it has any. Returns at once and never throws. */
  emit(orgId: string, event: OperationalEvent): void;
  /** The org's operational endpoints have changed. */
  forget(orgId: string): void;
  /** Resolves when all that was emitted has been taken in, or given up. */
  idle(): Promise<void>;
};

/** What the engine calls after it has recorded something. */
export type AttemptEvents = {
  attempted(outcome: Outcome): void;
  /** The endpoint was disabled by this outcome. */
  disabled(outcome: Outcome): void;
};

/** An org's operational endpoints stand in an org beside it, whose name no token can have: nothing else ever shows it. */
const shadow = "operational:";
export const operationalOrg = (orgId: string): string => `${shadow}${orgId}`;
export const operationalAppUid = "operational";

/** How late another process may learn that an org has operational endpoints now. */
const knownMs = 5_000;
const knownMax = 10_000;
/** A message that failed this often is reported as failing. */
const failingAttempts = 4;

export type OperationalEventsParts = {
  repos: Pick<Repos, "operational">;
  /** The engine's own intake: what is emitted is delivered like everything else. */
  accept(row: IntakeRow): Promise<AcceptResult>;
  payloadRetentionDays: number;
  log: Logger;
};

export function createOperationalEvents(parts: OperationalEventsParts): OperationalEvents {
  const { repos, log } = parts;
  const known = new Map<string, { listens: Promise<boolean>; untilMs: number }>();
  const underWay = new Set<Promise<void>>();

  const listens = (orgId: string): Promise<boolean> => {
    const found = known.get(orgId);
    if (found !== undefined && found.untilMs > Date.now()) return found.listens;
    if (known.size >= knownMax) known.clear();
    const asked = repos.operational.hasEndpoints(operationalOrg(orgId), operationalAppUid);
    known.set(orgId, { listens: asked, untilMs: Date.now() + knownMs });
    return asked;
  };

  const send = async (orgId: string, event: OperationalEvent): Promise<void> => {
    try {
      if (!(await listens(orgId))) return;
      const names = await repos.operational.names(subject(event));
      await parts.accept({
        id: newId("msg_"),
        orgId: operationalOrg(orgId),
        appRef: operationalAppUid,
        eventType: event.type,
        eventId: null,
        channels: null,
        tags: null,
        deliverAt: null,
        payload: JSON.stringify({ type: event.type, data: dataOf(event, names) }),
        contentType: null,
        payloadRetentionHours: parts.payloadRetentionDays * 24,
        idempotency: null,
      });
    } catch (error) {
      known.delete(orgId);
      log.error({ err: error, orgId, eventType: event.type }, "an operational event was not sent");
    }
  };

  return {
    emit(orgId, event) {
      // Nobody is told about the endpoints that are told.
      if (orgId.startsWith(shadow)) return;
      const sending = send(orgId, event).finally(() => underWay.delete(sending));
      underWay.add(sending);
    },
    forget: (orgId) => void known.delete(orgId),
    idle: async () => void (await Promise.all(underWay)),
  };
}

export const createAttemptEvents = ({ emit }: Pick<OperationalEvents, "emit">): AttemptEvents => ({
  attempted(outcome) {
    const { succeeded, attempt, retryInMs, orgId } = outcome;
    if (succeeded) {
      if (attempt > failingAttempts) emit(orgId, { type: "message.attempt.recovered", attempt: outcome });
    } else if (retryInMs !== null) {
      if (attempt === failingAttempts) emit(orgId, { type: "message.attempt.failing", attempt: outcome });
    } else if (outcome.trigger === triggers.scheduled) {
      emit(orgId, { type: "message.attempt.exhausted", attempt: outcome });
    }
  },
  disabled({ orgId, appId, endpointId }) {
    emit(orgId, { type: "endpoint.disabled", endpoint: { id: endpointId, appId }, trigger: "automatic" });
  },
});

function subject(event: OperationalEvent): { appId: string; endpointId: string; messageId: string | null } {
  if ("endpoint" in event) {
    return { appId: event.endpoint.appId, endpointId: event.endpoint.id, messageId: null };
  }
  const { appId, endpointId, messageId } = event.attempt;
  return { appId, endpointId, messageId };
}

function dataOf(event: OperationalEvent, names: SubjectNames): object {
  const { appUid, endpointUid, eventId, failSince } = names;
  if ("attempt" in event) {
    const { appId, endpointId, messageId, attemptId, responseStatusCode } = event.attempt;
    const lastAttempt = { id: attemptId, responseStatusCode, timestamp: idTime(attemptId).toISOString() };
    return { appId, appUid, endpointId, msgId: messageId, msgEventId: eventId, lastAttempt };
  }
  const { appId, id: endpointId } = event.endpoint;
  const data = { appId, appUid, endpointId, endpointUid };
  if (event.type !== "endpoint.disabled") return data;
  return { ...data, trigger: event.trigger, ...(failSince && { failSince: failSince.toISOString() }) };
}
