import { newId } from "../lib/ids.ts";
import { isMissingPartition } from "../lib/postgres-errors.ts";
import { RawJson } from "../lib/raw-json.ts";
import type { EventExampleIn, MessageOut } from "../schemas/messages.ts";
import { eventTypeScope } from "./authorization.ts";
import type { Context } from "./context.ts";
import { findEndpoint, requireSendable } from "./endpoints.ts";
import { AppError, invalid, notFound } from "./errors.ts";
import { newestSchema } from "./event-type-schemas.ts";
import { toMessageOut } from "./messages.ts";
import { ensureCurrentPartitions } from "./partitions.ts";

const pingType = "svix.ping";
const pingPayload = '{"success":true}';

/**
 * Sends what an event looks like to one endpoint, whether or not its filters match: a message as any other, but that it
 * is not held against the schema which it comes from.
 * @throws AppError not_found for an unknown type, invalid_scheme for one whose schema has no example
 */
export async function sendExample(
  ctx: Context,
  appRef: string,
  endpointRef: string,
  input: EventExampleIn,
  payloadRetentionDays: number,
): Promise<MessageOut> {
  const { eventType } = input;
  const endpoint = await findEndpoint(ctx, appRef, endpointRef);
  const payload = eventType === pingType ? pingPayload : await exampleOf(ctx, input);
  requireSendable(endpoint);
  const { orgId } = ctx;
  const { appId, id: endpointId } = endpoint;
  const message = { id: newId("msg_"), orgId, appId, eventType, payload };
  const insert = () =>
    ctx.repos.tx(async (tx) => {
      const row = await tx.messages.insert(message, payloadRetentionDays);
      await tx.queue.insertFresh({ orgId, appId, messageId: message.id, endpointId }, endpoint.fifo);
      await tx.queue.notify();
      return row;
    });
  const row = await insert().catch(async (error: unknown) => {
    if (!isMissingPartition(error)) throw error;
    await ensureCurrentPartitions(ctx.repos);
    return insert();
  });
  return { ...toMessageOut(row, false), payload: new RawJson(payload) };
}

async function exampleOf(ctx: Context, { eventType, exampleIndex }: EventExampleIn): Promise<string> {
  const row = await ctx.repos.eventTypes.find(eventTypeScope(ctx), eventType);
  if (!row) throw notFound();
  const schema = newestSchema(row.schemas ?? {});
  const { examples, example } = isObject(schema) ? schema : {};
  const listed = Array.isArray(examples) && examples.length > 0;
  if (listed && exampleIndex !== undefined && exampleIndex >= examples.length) {
    throw invalid(["body", "exampleIndex"], `there are ${examples.length} examples`);
  }
  const chosen: unknown = listed ? examples[exampleIndex ?? 0] : example;
  if (!isObject(chosen)) throw new AppError("invalid_scheme");
  return JSON.stringify(chosen);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
