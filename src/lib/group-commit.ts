/**
 * Lets concurrent callers share commits: what arrives while a statement is under way goes out together with the next
 * one. A lone caller waits for nothing, except where groups are to keep apart.
 */
export type GroupCommit<T, R> = {
  /** Resolves with the item's own result once the group it travelled in is committed. */
  submit(item: T, when?: When): Promise<R>;
  /** Items that wait or are under way. */
  readonly size: number;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
};

/** `soon`: its group is not kept apart from the last one. */
export type When = { soon: boolean };

type Waiting<T, R> = { item: T; resolve(result: R): void; reject(reason: unknown): void };

export type GroupCommitOptions<T, R> = {
  /** Commits the items and returns a result for each, in their order. */
  run(items: T[]): Promise<R[]>;
  /** The most items that one statement takes. */
  itemsMax: number;
  /** How many statements may be under way at once. */
  parallel: number;
  /** The part of those that wait which goes next, when they are many. @default 1 */
  share?: number;
  /** How many milliseconds there are at least from one group's start to the next one's. @default 0 */
  apartMs?: number;
};

/** So few go together, whatever the share: one more statement costs about as much as twenty more items. */
const wholeMax = 16;

export function createGroupCommit<T, R>(options: GroupCommitOptions<T, R>): GroupCommit<T, R> {
  const { itemsMax, parallel, share = 1, apartMs = 0 } = options;
  const waiting: Waiting<T, R>[] = [];
  let underWay = 0;
  let running = 0;
  let hurried = false;
  let nextAt = 0;
  let timer: Timer | null = null;
  let idleWaiters: (() => void)[] = [];

  const flush = async (group: Waiting<T, R>[]): Promise<void> => {
    const [outcome] = await Promise.allSettled([options.run(group.map((entry) => entry.item))]);
    running -= 1;
    underWay -= group.length;
    // Before anybody is told: the database works on the next ones while these are answered.
    pump();
    group.forEach((entry, index) => {
      if (outcome.status === "fulfilled") entry.resolve(outcome.value[index] as R);
      else entry.reject(outcome.reason);
    });
    if (waiting.length + underWay > 0) return;
    for (const wake of idleWaiters) wake();
    idleWaiters = [];
  };

  const pump = (): void => {
    while (running < parallel && waiting.length > 0) {
      const earlyMs = nextAt - performance.now();
      if (earlyMs > 0 && !hurried && waiting.length < itemsMax) {
        if (timer === null) timer = setTimeout(onTime, earlyMs);
        return;
      }
      const size = Math.min(itemsMax, Math.max(wholeMax, Math.ceil(waiting.length * share)));
      const group = waiting.splice(0, size);
      hurried &&= waiting.length > 0;
      nextAt = performance.now() + apartMs;
      running += 1;
      underWay += group.length;
      void flush(group);
    }
  };
  const onTime = (): void => {
    timer = null;
    pump();
  };

  return {
    submit: (item, { soon } = { soon: false }) =>
      new Promise<R>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        hurried ||= soon;
        const starts = soon || waiting.length === 1 || waiting.length >= itemsMax;
        // Requests that were read in the same turn of the event loop share the first statement already.
        if (running < parallel && starts) queueMicrotask(pump);
      }),
    get size() {
      return waiting.length + underWay;
    },
    idle: () =>
      waiting.length + underWay === 0
        ? Promise.resolve()
        : new Promise((resolve) => idleWaiters.push(resolve)),
  };
}
