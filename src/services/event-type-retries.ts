import type { EventTypeOut, RetryScheduleIn, RetryScheduleOut } from "../schemas/event-types.ts";
import type { Context } from "./context.ts";
import { retryDelaySecondsMax } from "./delivery-limits.ts";
import { invalid } from "./errors.ts";
import { getEventType, patchEventType } from "./event-types.ts";

const nanosPerSecond = 1_000_000_000;

/** Seconds with a fraction, as whole seconds and nanoseconds. */
const toOut = ({ retrySchedule }: EventTypeOut): RetryScheduleOut => ({
  retrySchedule:
    retrySchedule?.map((seconds) => {
      const secs = Math.floor(seconds);
      return { secs, nanos: Math.min(Math.round((seconds - secs) * nanosPerSecond), nanosPerSecond - 1) };
    }) ?? null,
});

export const getEventTypeRetries = async (ctx: Context, name: string): Promise<RetryScheduleOut> =>
  toOut(await getEventType(ctx, name));

/** Absent is null: the server's schedule holds. */
export async function setEventTypeRetries(
  ctx: Context,
  name: string,
  input: RetryScheduleIn,
): Promise<RetryScheduleOut> {
  const seconds = input.retrySchedule?.map(({ secs, nanos }) => secs + nanos / nanosPerSecond);
  const tooLong = seconds?.findIndex((one) => one > retryDelaySecondsMax) ?? -1;
  if (tooLong !== -1) {
    const loc = ["body", "retrySchedule", String(tooLong)];
    throw invalid(loc, `must be at most ${retryDelaySecondsMax} seconds`);
  }
  const retrySchedule = seconds ?? null;
  return toOut(await patchEventType(ctx, name, { retrySchedule }));
}
