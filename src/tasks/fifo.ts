import type { ThrottlesRepo } from "../repos/throttles.ts";
import type { TurnsRepo } from "../repos/turns.ts";
import type { Delivery } from "../services/delivery.ts";
import type { Returns } from "./returns.ts";

export type Fifo = {
  /** Takes the turn at these endpoints, goes on where a batch has ended here, and starts the first of each. */
  claim(endpointIds: string[]): Promise<void>;
  /** Whether the turn is held here, and what has come to the line will be claimed when the batch has ended. */
  holds(endpointId: string): boolean;
  /** Whether it was started from here, so that the next of its line waits for it. */
  owns(delivery: Delivery): boolean;
  /** It is over: when it has arrived, and that is committed, the next one starts. */
  ended(delivery: Delivery, arrived: boolean): void;
  /** Starts nothing more. Returns what has not started. */
  cancel(): Delivery[];
  /** Gives up all turns, once nothing of them is under way. */
  giveUp(): Promise<void>;
  readonly waiting: number;
};

export type FifoOptions = {
  turns: TurnsRepo;
  throttles: Pick<ThrottlesRepo, "reserve">;
  returns: Returns;
  nextLease(): string;
  leaseMs: number;
  /** Since when (performance.now()) nobody can have taken this worker for dead. */
  aliveSince(): number;
  start(delivery: Delivery): void;
  claimAgain(): void;
};

/** Few enough that little is given back when one fails, many enough that claiming them costs little of the time. */
const batchMax = 50;

type InLine = Delivery & { throttled: boolean };
type Turn = {
  lease: string;
  takenAt: number;
  current: InLine | null;
  /** Whether `current` is under way, or still waits for its moment. */
  started: boolean;
  timer: Timer | undefined;
  rest: InLine[];
};

/** Deliveries of FIFO endpoints: whoever holds the turn takes the next few and sends them one after another. */
export function createFifo(options: FifoOptions): Fifo {
  const turns = new Map<string, Turn>();
  const over = new Map<string, string>();
  let stopped = false;

  const end = (endpointId: string, turn: Turn): void => {
    turns.delete(endpointId);
    over.set(endpointId, turn.lease);
    if (stopped) return;
    options.returns.add(turn.rest.splice(0));
    options.claimAgain();
  };

  const next = (endpointId: string, turn: Turn): void => {
    turn.current = (!stopped && turn.takenAt >= options.aliveSince() && turn.rest.shift()) || null;
    turn.started = false;
    if (turn.current === null) end(endpointId, turn);
    else if (turn.current.throttled) void startAtItsMoment(endpointId, turn, turn.current);
    else start(turn, turn.current);
  };

  const start = (turn: Turn, delivery: InLine): void => {
    turn.started = true;
    options.start(delivery);
  };

  const startAtItsMoment = async (endpointId: string, turn: Turn, delivery: InLine): Promise<void> => {
    try {
      const { reserve } = options.throttles;
      const inMs = (await reserve(endpointId)) ?? (await reserve(endpointId)) ?? 0;
      if (turn.current !== delivery) return;
      turn.timer = setTimeout(() => start(turn, delivery), inMs);
    } catch {
      // The database is away, say: who claims it next asks again.
      if (turn.current !== delivery) return;
      options.returns.add([delivery]);
      end(endpointId, turn);
    }
  };

  return {
    async claim(endpointIds) {
      const ending = [...over.keys()];
      const asked = [
        ...[...over].map(([endpointId, held]) => ({ endpointId, held })),
        ...endpointIds.flatMap((endpointId) => (over.has(endpointId) ? [] : { endpointId, held: null })),
      ];
      if (asked.length === 0) return;
      const lease = options.nextLease();
      const takenAt = performance.now();
      const leaseEndsAt = takenAt + options.leaseMs;
      const claimed = await options.returns.claimUnder(
        lease,
        () =>
          options.turns.claim(asked, { lease, leaseSeconds: options.leaseMs / 1000, perLineMax: batchMax }),
        (taken) => taken,
      );
      const held = claimed.map((delivery) => ({ ...delivery, lease, leaseEndsAt }));
      const lines = Map.groupBy(held, ({ endpointId }) => endpointId);
      // What came while its turn was being given up found it taken.
      if (ending.some((endpointId) => !lines.has(endpointId))) options.claimAgain();
      // Others have ended meanwhile: theirs is the next claim.
      for (const endpointId of ending) over.delete(endpointId);
      for (const [endpointId, line] of lines) {
        const turn: Turn = {
          lease,
          takenAt,
          current: null,
          started: false,
          timer: undefined,
          rest: line.filter(({ gone }) => !gone),
        };
        turns.set(endpointId, turn);
        next(endpointId, turn);
      }
    },
    holds: (endpointId) => !stopped && turns.has(endpointId),
    owns: (delivery) => turns.get(delivery.endpointId)?.current === delivery,
    ended(delivery, arrived) {
      const turn = turns.get(delivery.endpointId);
      if (turn?.current !== delivery) return;
      if (arrived) next(delivery.endpointId, turn);
      else end(delivery.endpointId, turn);
    },
    cancel() {
      stopped = true;
      return [...turns.values()].flatMap((turn) => {
        clearTimeout(turn.timer);
        const waiting = turn.started ? null : turn.current;
        if (waiting !== null) turn.current = null;
        return [...(waiting === null ? [] : [waiting]), ...turn.rest.splice(0)];
      });
    },
    async giveUp() {
      // What was taken back before it started has not ended its turn.
      for (const [endpointId, { lease }] of turns) over.set(endpointId, lease);
      await options.turns.end([...over].map(([endpointId, lease]) => ({ endpointId, lease })));
    },
    get waiting() {
      let waiting = 0;
      for (const turn of turns.values()) waiting += turn.rest.length;
      return waiting;
    },
  };
}
