import { statementDeadlineMs, withDeadline } from "../lib/deadline.ts";
import { createGroupCommit } from "../lib/group-commit.ts";
import { ID_STEP_MS, newId } from "../lib/ids.ts";
import { isMissingPartition, isRetriable } from "../lib/postgres-errors.ts";
import { triggers } from "../models/deliveries.ts";
import type { IntakeRepo, IntakeResult, IntakeRow, QueuedDelivery } from "../repos/intake.ts";
import type { Delivery } from "./delivery.ts";
import { AppError } from "./errors.ts";

export type AcceptResult = Exclude<IntakeResult, { kind: "late" }>;

export type Intake = {
  /** Resolves once the message and its deliveries are committed, under the row's id or, if that came too late, another. */
  accept(row: IntakeRow): Promise<AcceptResult>;
  idle(): Promise<void>;
};

/** A lease for what is being committed now, and how much of it fits; the rest is left to later claims. */
export type Offer = {
  lease: string;
  leaseSeconds: number;
  /** Endpoints that have enough waiting already. */
  saturated: string[];
  deliveriesMax: number;
  perEndpointMax: number;
};

/** The way from a commit straight into this process's own deliverer, without a claim. */
export type HandOver = {
  /** Null when nothing more fits. */
  offer(): Offer | null;
  /** Takes on deliveries that were committed a moment ago under an offered lease. */
  take(deliveries: Delivery[]): void;
  /** What was to be committed under this lease failed, perhaps after the commit: nobody holds what it may name. */
  forfeit(lease: string): void;
  /** It holds the turn at a FIFO endpoint, and claims what has come meanwhile when its batch has ended. */
  holdsTurn(endpointId: string): boolean;
  /** Something was committed that is due and that nobody holds. */
  wake(): void;
};

export type IntakeOptions = {
  repo: IntakeRepo;
  /** Null when only other processes deliver. */
  handOver: HandOver | null;
  /** Tells the workers of other processes that something is due. */
  notify(): void;
  /** Makes the partitions for what is being written now. */
  ensurePartitions(): Promise<void>;
};

const groupSizeMax = 256;
/** A second one under way only makes the groups smaller: a third more of PostgreSQL's time for each message. */
const groupsInParallel = 1;
/**
 * The rest stays for the next one. If a group took all that the process has in hand, its callers would be answered and
 * their next requests read while the database has nothing to do, and then the database would work while there is
 * nothing to read. As it is, both are busy at once: with 64 callers, groups of 26 instead of 63 and 1 in turns.
 */
const groupShare = 2 / 3;
/** Requests that may wait for a commit; past that the client is told to come back. */
const waitingMax = 10_000;
/** How often messages get other ids while readers overtake them again and again. */
const renamesMax = 10;

/** Takes messages in: what arrives while a commit is under way shares the next one. */
export function createIntake(options: IntakeOptions): Intake {
  const insert = async (rows: IntakeRow[], offer: Offer | null): Promise<IntakeResult[]> => {
    try {
      return await withDeadline(options.repo.insert(rows, offer), statementDeadlineMs);
    } catch (error) {
      if (isMissingPartition(error)) await options.ensurePartitions();
      else if (!isRetriable(error)) throw error;
      return withDeadline(options.repo.insert(rows, offer), statementDeadlineMs);
    }
  };

  const run = async (rows: IntakeRow[]): Promise<IntakeResult[]> => {
    const offer = options.handOver?.offer() ?? null;
    const leaseEndsAt = performance.now() + (offer?.leaseSeconds ?? 0) * 1000;
    const results = await insert(rows, offer).catch((error: unknown) => {
      if (offer !== null) options.handOver?.forfeit(offer.lease);
      throw error;
    });
    passOn(rows, results, offer, leaseEndsAt);
    return rename(rows, results);
  };

  /** Sends those again that came too late, under newer ids. The rest of the group is committed by then. */
  const rename = async (rows: IntakeRow[], results: IntakeResult[]): Promise<IntakeResult[]> => {
    const settled = [...results];
    for (let round = 0; round < renamesMax; round += 1) {
      const late = settled.flatMap((result, index) =>
        result.kind === "late" ? [{ index, fenceMs: result.fenceMs }] : [],
      );
      if (late.length === 0) break;
      const renamed = late.map(({ index, fenceMs }) => ({
        ...(rows[index] as IntakeRow),
        id: newId("msg_", Math.max(Date.now(), fenceMs + ID_STEP_MS)),
      }));
      const again = await insert(renamed, null);
      passOn(renamed, again, null, 0);
      late.forEach(({ index }, n) => {
        settled[index] = again[n] as IntakeResult;
      });
    }
    return settled;
  };

  const passOn = (
    rows: IntakeRow[],
    results: IntakeResult[],
    offer: Offer | null,
    leaseEndsAt: number,
  ): void => {
    let left = false;
    const taken = results.flatMap((result, index) => {
      if (result.kind !== "accepted") return [];
      const row = rows[index] as IntakeRow;
      return result.deliveries.flatMap((queued) => {
        if (queued.leased && offer !== null) return [held(row, queued, offer.lease, leaseEndsAt)];
        const isDue = row.deliverAt === null || row.deliverAt.getTime() <= Date.now();
        if (isDue && !options.handOver?.holdsTurn(queued.endpointId)) left = true;
        return [];
      });
    });
    if (taken.length > 0) options.handOver?.take(taken);
    if (!left) return;
    options.handOver?.wake();
    options.notify();
  };

  const group = createGroupCommit<IntakeRow, IntakeResult>({
    run,
    itemsMax: groupSizeMax,
    parallel: groupsInParallel,
    share: groupShare,
  });
  return {
    async accept(row) {
      if (group.size >= waitingMax) throw new AppError("overloaded");
      const result = await group.submit(row);
      if (result.kind === "late") throw new AppError("overloaded");
      return result;
    },
    idle: () => group.idle(),
  };
}

const held = (row: IntakeRow, queued: QueuedDelivery, lease: string, leaseEndsAt: number): Delivery => ({
  messageId: row.id,
  endpointId: queued.endpointId,
  trigger: triggers.scheduled,
  orgId: row.orgId,
  appId: queued.appId,
  attempt: 0,
  revision: queued.revision,
  eventType: row.eventType,
  channels: row.channels,
  tags: row.tags,
  payload: row.payload,
  contentType: row.contentType,
  probe: false,
  lease,
  leaseEndsAt,
});
