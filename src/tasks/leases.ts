/**
 * A lease is a uuid: the first half names the worker, the second counts its commits and claims. So a token is never
 * used twice, and the leases of a worker that died are found by their first half.
 */
export type Leases = { next(): string };

/** @param workerId 16 hex digits */
export function createLeases(workerId: string): Leases {
  const worker = `${workerId.slice(0, 8)}-${workerId.slice(8, 12)}-${workerId.slice(12, 16)}`;
  let count = 0;
  return {
    next() {
      count += 1;
      const digits = count.toString(16).padStart(16, "0");
      return `${worker}-${digits.slice(0, 4)}-${digits.slice(4)}`;
    },
  };
}

/** A worker's id, random: 16 hex digits. */
export const newWorkerId = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString("hex");

/** The smallest and the largest lease that a worker can have given out. */
export function leaseRange(workerId: string): { from: string; to: string } {
  const worker = `${workerId.slice(0, 8)}-${workerId.slice(8, 12)}-${workerId.slice(12, 16)}`;
  return { from: `${worker}-0000-000000000000`, to: `${worker}-ffff-ffffffffffff` };
}
