/**
 * Runs work with two caps and fair turns: so many at once in all, so many at once in a lane, and whenever a place is
 * free the tenants take turns, and within a tenant its lanes. It is the hot path's runner, and costs about a
 * microsecond an item.
 *
 * A quarter of the places is kept for lanes that hold none, and of the rest a lane holds no more than are left free:
 * so lanes that hang leave places to others, however many they are. (Dynamic thresholds, as in shared-memory switches:
 * Choudhury and Hahne, 1998.)
 */
export type LanesOptions<T> = {
  concurrency: number;
  laneConcurrency: number;
  /** Must not reject. */
  run(item: T): Promise<void>;
  /** Called when an item has ended, with what waits in its lane now. */
  onEnd(laneId: string, waiting: number): void;
};

type Lane<T> = { id: string; tenant: Tenant<T>; waiting: T[]; running: number; queued: boolean };
type Tenant<T> = { id: string; lanes: number; ready: Lane<T>[]; queued: boolean };

export class Lanes<T> {
  readonly #options: LanesOptions<T>;
  readonly #reserve: number;
  readonly #lanes = new Map<string, Lane<T>>();
  readonly #tenants = new Map<string, Tenant<T>>();
  #turns: Tenant<T>[] = [];
  #waiting = 0;
  #running = 0;
  #paused = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: LanesOptions<T>) {
    this.#options = options;
    this.#reserve = Math.floor(options.concurrency / 4);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get running(): number {
    return this.#running;
  }

  push(tenantId: string, laneId: string, item: T): void {
    const lane = this.#lanes.get(laneId) ?? this.#open(tenantId, laneId);
    lane.waiting.push(item);
    this.#waiting += 1;
    this.#queue(lane);
    this.#start();
  }

  /** The lanes in which at least so many items wait. */
  lanesWith(waitingMin: number): string[] {
    const full: string[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.waiting.length >= waitingMin) full.push(lane.id);
    }
    return full;
  }

  /** Gives back what has not started of a lane. */
  empty(laneId: string): T[] {
    const unstarted = this.#lanes.get(laneId)?.waiting.splice(0) ?? [];
    this.#waiting -= unstarted.length;
    return unstarted;
  }

  /** Starts nothing more, and gives back what has not started. */
  pause(): T[] {
    this.#paused = true;
    const unstarted: T[] = [];
    for (const lane of this.#lanes.values()) unstarted.push(...lane.waiting.splice(0));
    this.#waiting = 0;
    return unstarted;
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  #open(tenantId: string, laneId: string): Lane<T> {
    let tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = { id: tenantId, lanes: 0, ready: [], queued: false };
      this.#tenants.set(tenantId, tenant);
    }
    tenant.lanes += 1;
    const lane: Lane<T> = { id: laneId, tenant, waiting: [], running: 0, queued: false };
    this.#lanes.set(laneId, lane);
    return lane;
  }

  #close(lane: Lane<T>): void {
    this.#lanes.delete(lane.id);
    lane.tenant.lanes -= 1;
    if (lane.tenant.lanes === 0) this.#tenants.delete(lane.tenant.id);
  }

  /** Puts the lane in line for a turn if it may take one. */
  #queue(lane: Lane<T>): void {
    if (lane.queued || lane.waiting.length === 0 || lane.running >= this.#options.laneConcurrency) return;
    lane.queued = true;
    lane.tenant.ready.push(lane);
    if (lane.tenant.queued) return;
    lane.tenant.queued = true;
    this.#turns.push(lane.tenant);
  }

  #start(): void {
    // Lanes that may not start just now go to the back; a whole round of them ends the search.
    let passed = 0;
    while (!this.#paused && passed < this.#turns.length) {
      const free = this.#options.concurrency - this.#running;
      if (free === 0) return;
      const tenant = this.#turns.shift() as Tenant<T>;
      const lane = this.#nextLane(tenant, free);
      if (tenant.ready.length > 0) this.#turns.push(tenant);
      else tenant.queued = false;
      if (lane === null) {
        passed += 1;
        continue;
      }
      passed = 0;
      const item = lane.waiting.shift() as T;
      lane.running += 1;
      this.#waiting -= 1;
      this.#running += 1;
      this.#queue(lane);
      void this.#options.run(item).then(() => this.#finish(lane));
    }
  }

  /** The tenant's next lane that may take one of the free places, out of its line; null when none may. */
  #nextLane(tenant: Tenant<T>, free: number): Lane<T> | null {
    for (let looks = tenant.ready.length; looks > 0; looks -= 1) {
      const lane = tenant.ready.shift() as Lane<T>;
      if (lane.waiting.length === 0) {
        lane.queued = false;
        if (lane.running === 0) this.#close(lane);
      } else if (lane.running === 0 || lane.running < free - this.#reserve) {
        lane.queued = false;
        return lane;
      } else tenant.ready.push(lane);
    }
    return null;
  }

  #finish(lane: Lane<T>): void {
    lane.running -= 1;
    this.#running -= 1;
    if (lane.running === 0 && lane.waiting.length === 0 && !lane.queued) this.#close(lane);
    else this.#queue(lane);
    this.#start();
    if (this.#running === 0) {
      for (const wake of this.#idleWaiters.splice(0)) wake();
    }
    this.#options.onEnd(lane.id, lane.waiting.length);
  }
}
