/**
 * Lets concurrent callers share commits: what arrives while a statement is under way goes out together with the next
 * one. A lone caller waits for nothing.
 */
export type GroupCommit<T, R> = {
  /** Resolves with the item's own result once the group it travelled in is committed. */
  submit(item: T): Promise<R>;
  /** Items that wait or are under way. */
  readonly size: number;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
};

type Waiting<T, R> = { item: T; resolve(result: R): void; reject(reason: unknown): void };

export type GroupCommitOptions<T, R> = {
  /** Commits the items and returns a result for each, in their order. */
  run(items: T[]): Promise<R[]>;
  /** The most items that one statement takes. */
  itemsMax: number;
  /** How many statements may be under way at once. */
  parallel: number;
};

/** So few go together, whoever else waits. */
const wholeMax = 16;
/**
 * Of more, a part stays for the next group. If one took all that a server has in hand, its callers would be answered
 * and their next requests read while the database has nothing to do, and then the database would work while nobody
 * has anything to read. As it is, both are busy at once: of 64 connections, groups of 26 instead of 63 and 1 in turns.
 */
const share = 2 / 3;

const sizeOfNext = (waiting: number, itemsMax: number): number =>
  Math.min(itemsMax, Math.max(wholeMax, Math.ceil(waiting * share)));

export function createGroupCommit<T, R>(options: GroupCommitOptions<T, R>): GroupCommit<T, R> {
  const waiting: Waiting<T, R>[] = [];
  let underWay = 0;
  let running = 0;
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
    if (running > 0) return;
    for (const wake of idleWaiters) wake();
    idleWaiters = [];
  };

  const pump = (): void => {
    while (running < options.parallel && waiting.length > 0) {
      const group = waiting.splice(0, sizeOfNext(waiting.length, options.itemsMax));
      running += 1;
      underWay += group.length;
      void flush(group);
    }
  };

  return {
    submit: (item) =>
      new Promise<R>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        // Requests that were read in the same turn of the event loop share the first statement already.
        if (running < options.parallel && waiting.length === 1) queueMicrotask(pump);
      }),
    get size() {
      return waiting.length + underWay;
    },
    idle: () =>
      running === 0 && waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => idleWaiters.push(resolve)),
  };
}
