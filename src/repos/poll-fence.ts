/**
 * How reading by id misses no message, though ids are made before commits and commits come in any order.
 *
 * Who accepts messages holds a shared lock until the commit, named by the time in its oldest id, and then looks at the
 * sequence poll_fence: ids that are not past it are refused. Who reads moves the fence first, and then looks which
 * locks are held. So whatever is not committed yet is either seen by its lock, and reading ends before it, or comes to
 * look later, and finds the fence. Both work at once, whatever snapshots the transactions have, and no clock counts:
 * the times are only numbers that grow.
 */

/** Marks our locks among all advisory ones; the time stands in the lower bits. */
const mark = 0x706fn;
const timeBits = 44n;

/** The lock of messages on their way whose oldest id has that time (Unix milliseconds): an advisory lock's bigint. */
export const arrivalKey = (oldestMs: number): string => ((mark << timeBits) | BigInt(oldestMs)).toString();

/** How pg_locks shows such a lock: in two halves of 32 bits. */
export const arrivalLocks = {
  mark: Number(mark),
  markShift: Number(timeBits - 32n),
  timeMask: (2n ** timeBits - 1n).toString(),
};
