import { idBound } from "../lib/ids.ts";
import type { ConsumerScope } from "../repos/pollers.ts";
import type {
  PollingEndpointConsumerSeekIn,
  PollingEndpointConsumerSeekOut,
  PollingEndpointOut,
} from "../schemas/pollers.ts";
import type { Context } from "./context.ts";
import { AppError } from "./errors.ts";
import { findPoller, readPast, startOf } from "./pollers.ts";
import { bodyTime } from "./times.ts";

/** Where a consumer is, and how often it was moved by a seek: an iterator of before one is good no longer. */
type Place = { position: string; seeks: number };

const iteratorOf = ({ position, seeks }: Place): string => (seeks === 0 ? position : `${position}.${seeks}`);

function placeOf(iterator: string): Place {
  const [position = "", seeks = "0"] = iterator.split(".");
  return { position, seeks: Number(seeks) };
}

const outOfStep = () =>
  new AppError("conflict", {
    detail: "The consumer is elsewhere by now: poll without an iterator to go on from there.",
  });

/**
 * Reads on from the iterator, and remembers it: what came before it is done with. Without one it reads from the last
 * that was remembered, so that an answer that got lost comes again.
 * @throws AppError conflict, for an iterator that another reader or a seek has left behind
 */
export async function pollConsumer(
  ctx: Context,
  appRef: string,
  ref: string,
  consumerId: string,
  query: { limit?: number; iterator?: string },
): Promise<PollingEndpointOut> {
  const endpoint = await findPoller(ctx, appRef, ref);
  const scope = { orgId: ctx.orgId, endpointId: endpoint.id, consumerId };
  const place =
    query.iterator === undefined
      ? ((await ctx.repos.pollers.findConsumer(scope)) ?? { position: startOf(endpoint), seeks: 0 })
      : await moveTo(ctx, scope, placeOf(query.iterator));
  const { data, done, iterator } = await readPast(ctx, endpoint, place.position, query.limit);
  return { data, done, iterator: iteratorOf({ position: iterator, seeks: place.seeks }) };
}

async function moveTo(ctx: Context, scope: ConsumerScope, to: Place): Promise<Place> {
  const { pollers } = ctx.repos;
  const known = await pollers.findConsumer(scope);
  if ((known?.seeks ?? 0) !== to.seeks) throw outOfStep();
  if (known?.position === to.position) return to;
  if (!(await pollers.advance(scope, to))) throw outOfStep();
  return to;
}

/** Moves a consumer to a time, back or ahead. Iterators of before are good no longer. */
export async function seekConsumer(
  ctx: Context,
  appRef: string,
  ref: string,
  consumerId: string,
  input: PollingEndpointConsumerSeekIn,
): Promise<PollingEndpointConsumerSeekOut> {
  const position = idBound("msg_", bodyTime("after", input.after));
  const endpoint = await findPoller(ctx, appRef, ref);
  const scope = { orgId: ctx.orgId, endpointId: endpoint.id, consumerId };
  return { iterator: iteratorOf({ position, seeks: await ctx.repos.pollers.seek(scope, position) }) };
}
