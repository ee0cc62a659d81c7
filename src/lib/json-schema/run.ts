/** Where a value stands, from the inside out; null is the whole. */
export type Place = { within: Place; key: string | number } | null;

export type Fault = { path: string[]; message: string };

/** What in-place subschemas have looked at, for `unevaluatedProperties` and `unevaluatedItems`. */
export type Seen = { names: Set<string>; items: Set<number> };

/** One validation: what it may still cost, and what it has found. */
export type Run = { stepsLeft: number; depth: number; faults: Fault[] | null };

/** @returns whether the value is valid; what is wrong with it is added to the run's faults, unless those are null */
export type Check = (value: unknown, at: Place, run: Run, seen: Seen | null) => boolean;

/** A validation that costs more than it may. */
export class TooExpensive extends Error {}

const depthMax = 1_500;
const faultsMax = 10;

export const createRun = (stepsLeft: number): Run => ({ stepsLeft, depth: 0, faults: [] });

/** @throws TooExpensive once there are no steps left */
export function spend(run: Run, steps: number): void {
  run.stepsLeft -= steps;
  if (run.stepsLeft < 0) throw new TooExpensive();
}

/** Runs a check one level deeper. @throws TooExpensive where schemas apply each other without end */
export function descend(check: Check, value: unknown, at: Place, run: Run, seen: Seen | null): boolean {
  run.depth += 1;
  if (run.depth > depthMax) throw new TooExpensive();
  const valid = check(value, at, run, seen);
  run.depth -= 1;
  return valid;
}

/** Asks whether a value would be valid, and holds nothing against it if not. */
export function probe(check: Check, value: unknown, at: Place, run: Run, seen: Seen | null): boolean {
  const { faults } = run;
  run.faults = null;
  const valid = descend(check, value, at, run, seen);
  run.faults = faults;
  return valid;
}

/** @returns false, so that a check can end with it */
export function fault(run: Run, at: Place, message: string): false {
  if (run.faults !== null && run.faults.length < faultsMax) run.faults.push({ path: pathOf(at), message });
  return false;
}

function pathOf(at: Place): string[] {
  const path: string[] = [];
  for (let place = at; place !== null; place = place.within) path.push(String(place.key));
  return path.reverse();
}

export const nothingSeen = (): Seen => ({ names: new Set(), items: new Set() });

export function addSeen(run: Run, to: Seen, from: Seen): void {
  spend(run, from.names.size + from.items.size);
  for (const name of from.names) to.names.add(name);
  for (const item of from.items) to.items.add(item);
}
