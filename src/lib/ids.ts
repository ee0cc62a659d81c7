/**
 * Ids: a prefix and a KSUID with milliseconds, as Svix makes them (https://github.com/svix/rust-ksuid):
 * 20 bytes, big-endian: 4 of seconds since 2014-05-13T16:53:20Z, 1 of 4 ms steps within the second, 15 random.
 * Written as 27 characters of base62 in ASCII order, so that ids sort by time as text (collation "C").
 */
export const ID_PREFIXES = [
  "org_",
  "app_",
  "ep_",
  "msg_",
  "atmpt_",
  "evtype_",
  "qtask_",
  "key_",
  "integ_",
  "poll_",
  "req_",
] as const;
export type IdPrefix = (typeof ID_PREFIXES)[number];

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** By character code. */
const DIGITS = Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)));
const EPOCH_SECONDS = 1_400_000_000;
/** Ids tell time in steps of so many milliseconds. */
export const ID_STEP_MS = 4;
const STEPS_MAX = 2 ** 40 - 1;
const LENGTH = 27;
// 2^160 - 1: 27 characters of base62 hold a little more than 20 bytes.
const LARGEST = "aWgEPTl1tmebfsQzFP4bxwgy80V";

// The number is held as limbs of five base62 digits: sums and products of them stay exact in a double.
const LIMB = 62 ** 5;
const PAIRS = Array.from({ length: 62 * 62 }, (_, n) => digit(Math.floor(n / 62)) + digit(n % 62));

// The random part lies below 62^20: 119 of its 120 bits, which leaves room to count upwards within a step.
const RANDOM_LIMBS = 4;
// How far apart neighbours within a step are, at most: 900 of them share what is encoded of the upper limbs.
const STRIDE = 2 ** 20;
const latest = { step: -1, limbs: [0, 0, 0, 0, 0, 0], head: "" };
const pool = new Uint32Array(1024);
let poolAt = pool.length;

/**
 * Makes an id. Ids made one after another within the same 4 ms step sort in the order they were made.
 * @param nowMs Unix milliseconds; a time outside 2014..2150 is moved to the nearest end.
 */
export function newId(prefix: IdPrefix, nowMs: number = Date.now()): string {
  const step = stepOf(nowMs);
  const { limbs } = latest;
  if (step !== latest.step) startStep(step);
  else limbs[0] = (limbs[0] as number) + 1 + random(STRIDE);
  if ((limbs[0] as number) >= LIMB) {
    carry(limbs);
    latest.head = headOf(limbs);
  }
  return prefix + latest.head + five(limbs[0] as number);
}

function startStep(step: number): void {
  const { limbs } = latest;
  for (const [at, limb] of timeLimbs(step).entries()) {
    limbs[at] = limb + (at < RANDOM_LIMBS ? random(LIMB) : 0);
  }
  carry(limbs);
  latest.step = step;
  latest.head = headOf(limbs);
}

/**
 * The smallest id of that time, rounded down to 4 ms: for the ends of ranges and of partitions.
 * @throws RangeError when the date is invalid.
 */
export function idBound(prefix: IdPrefix, time: Date | number): string {
  if (Number.isNaN(Number(time))) throw new RangeError("not a date");
  const limbs = timeLimbs(stepOf(Number(time)));
  return prefix + headOf(limbs) + five(limbs[0] as number);
}

/**
 * When the id was made, to 4 ms.
 * @throws RangeError when the text doesn't end in a KSUID.
 */
export function idTime(id: string): Date {
  const body = id.slice(-LENGTH);
  if (!isBody(body)) throw new RangeError("not an id");
  const step = stepIn(body);
  return new Date((EPOCH_SECONDS + Math.floor(step / 256)) * 1000 + (step % 256) * ID_STEP_MS);
}

// The upper 40 of the 160 bits: `timeLimbs` backwards.
function stepIn(body: string): number {
  const limbs = [22, 17, 12, 7, 2].map((at) => numberIn(body, at, at + 5));
  limbs.push(numberIn(body, 0, 2));
  for (let shift = 0; shift < 6; shift++) {
    let over = 0;
    for (let at = 5; at >= 0; at--) {
      const value = (limbs[at] as number) + over * LIMB;
      const upper = Math.floor(value / 2 ** 20);
      limbs[at] = upper;
      over = value - upper * 2 ** 20;
    }
  }
  return (limbs[1] as number) * LIMB + (limbs[0] as number);
}

function numberIn(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) number = number * 62 + (DIGITS[text.charCodeAt(at)] as number);
  return number;
}

/** Is the text an id with this prefix? */
export function isId(prefix: IdPrefix, text: string): boolean {
  return (
    text.length === prefix.length + LENGTH && text.startsWith(prefix) && isBody(text.slice(prefix.length))
  );
}

function isBody(text: string): boolean {
  return text.length === LENGTH && text <= LARGEST && /^[0-9A-Za-z]+$/.test(text);
}

function stepOf(nowMs: number): number {
  const sinceEpochMs = nowMs - EPOCH_SECONDS * 1000;
  const seconds = Math.floor(sinceEpochMs / 1000);
  const step = seconds * 256 + Math.floor((sinceEpochMs - seconds * 1000) / ID_STEP_MS);
  return Math.min(Math.max(step, 0), STEPS_MAX);
}

// step × 2^120, by shifting the limbs 20 bits at a time: LIMB × 2^20 < 2^50.
function timeLimbs(step: number): number[] {
  const limbs = [step % LIMB, Math.floor(step / LIMB), 0, 0, 0, 0];
  for (let shift = 0; shift < 6; shift++) {
    let over = 0;
    for (let at = 0; at < 6; at++) {
      const value = (limbs[at] as number) * 2 ** 20 + over;
      over = Math.floor(value / LIMB);
      limbs[at] = value - over * LIMB;
    }
  }
  return limbs;
}

function carry(limbs: number[]): void {
  for (let at = 0; at < 5; at++) {
    if ((limbs[at] as number) < LIMB) continue;
    limbs[at] = (limbs[at] as number) - LIMB;
    limbs[at + 1] = (limbs[at + 1] as number) + 1;
  }
}

// All but the lowest limb: 22 characters.
function headOf(limbs: number[]): string {
  const [, l1, l2, l3, l4, l5] = limbs as [number, number, number, number, number, number];
  return PAIRS[l5] + five(l4) + five(l3) + five(l2) + five(l1);
}

function five(limb: number): string {
  const high = (limb / 238_328) | 0;
  const low = limb - high * 238_328;
  const middle = (low / 62) | 0;
  return (PAIRS[high] as string) + PAIRS[middle] + ALPHABET[low - middle * 62];
}

function digit(n: number): string {
  return ALPHABET[n] as string;
}

// Scaling 32 bits favours some numbers by a fifth: a hundredth of a bit per limb.
function random(below: number): number {
  if (poolAt === pool.length) {
    crypto.getRandomValues(pool);
    poolAt = 0;
  }
  return Math.floor(((pool[poolAt++] as number) / 2 ** 32) * below);
}
