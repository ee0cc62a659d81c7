import { idTime, newId } from "../lib/ids.ts";
import { isDeeperThan } from "../lib/json-depth.ts";
import { jsonMember } from "../lib/json-member.ts";
import { RawJson } from "../lib/raw-json.ts";
import type { IntakeRow } from "../repos/intake.ts";
import type { MessageIn } from "../schemas/message-in.ts";
import type { MessageOut } from "../schemas/messages.ts";
import { createApplication } from "./applications.ts";
import { requireOrg } from "./authorization.ts";
import type { Context } from "./context.ts";
import { AppError, invalid, notFound } from "./errors.ts";
import { idempotencyKeyHash, requestHash } from "./idempotency.ts";
import type { Intake } from "./intake.ts";
import { checkPayload, type PayloadSchema } from "./payload-schemas.ts";
import { bodyTime, slackMs } from "./times.ts";

export type SendMessageParts = {
  intake: Intake;
  /** The message that a taken idempotency key stands for. */
  findByKey(orgId: string, key: string): Promise<{ messageId: string; bodyHash: string } | null>;
  releaseKey(orgId: string, key: string, messageId: string): Promise<void>;
  payloadRetentionDays: number;
  /** A message that is older is gone, delivered or not. */
  attemptRetentionDays: number;
};

export type SendMessageInput = {
  appRef: string;
  path: string;
  message: MessageIn;
  /** The request's body as it came: the payload is cut out of it. */
  rawBody: string;
  idempotencyKey: string | null;
  withContent: boolean;
};

const dayMs = 86_400_000;
const deliverAtDaysMax = 30;

/** As deep as a request itself may nest. */
const rawDepthMax = 1_000;

const emptyPayload = new RawJson("{}");

/** Takes a message in. What it returns is committed, with a delivery for every endpoint that wants it. */
export async function sendMessage(
  ctx: Context,
  parts: SendMessageParts,
  input: SendMessageInput,
): Promise<MessageOut> {
  requireOrg(ctx);
  const row = toRow(ctx, parts, input);
  checkApplication(input);
  const schema = ctx.payloadSchemas.find(ctx.orgId, input.message.eventType);
  const refusal = schema === null ? null : await checkAgainst(schema, input);
  // A repeat gets the first answer, whatever the schema has become.
  if (refusal !== null) return repeated(ctx, parts, row, input, refusal);
  let result = await parts.intake.accept(row);
  if (result.kind === "no-application" && input.message.application) {
    await createApplication(ctx, input.message.application, { getIfExists: true });
    result = await parts.intake.accept(row);
  }
  switch (result.kind) {
    case "accepted":
      return sent({ ...row, id: result.id }, input);
    case "no-application":
      throw notFound();
    case "duplicate-key":
      return repeated(ctx, parts, row, input, new AppError("conflict"));
    case "duplicate-event":
      if (row.idempotency !== null) await parts.releaseKey(ctx.orgId, row.idempotency.key, result.id);
      throw new AppError("conflict", { detail: "A message with this eventId already exists" });
  }
}

/**
 * The first request's answer, made again: all that it holds but id and time came with the request.
 * @throws AppError the one that is given when there was no first request
 */
async function repeated(
  ctx: Context,
  parts: SendMessageParts,
  row: IntakeRow,
  input: SendMessageInput,
  otherwise: AppError,
): Promise<MessageOut> {
  const first = row.idempotency === null ? null : await parts.findByKey(ctx.orgId, row.idempotency.key);
  if (first === null) throw otherwise;
  if (first.bodyHash !== row.idempotency?.bodyHash) throw new AppError("idempotency_conflict");
  return sent({ ...row, id: first.messageId }, input);
}

const sent = (row: IntakeRow, input: SendMessageInput): MessageOut => ({
  id: row.id,
  eventId: row.eventId,
  eventType: row.eventType,
  channels: row.channels,
  tags: row.tags,
  deliverAt: row.deliverAt?.toISOString() ?? null,
  payload: input.withContent && row.contentType === null ? new RawJson(row.payload) : emptyPayload,
  timestamp: idTime(row.id).toISOString(),
});

function toRow(ctx: Context, parts: SendMessageParts, input: SendMessageInput): IntakeRow {
  const { message, rawBody, idempotencyKey } = input;
  return {
    id: newId("msg_"),
    orgId: ctx.orgId,
    appRef: input.appRef,
    eventType: message.eventType,
    eventId: message.eventId ?? null,
    channels: message.channels ?? null,
    tags: message.tags?.length ? message.tags : null,
    deliverAt: deliverAt(message, parts.attemptRetentionDays),
    ...payloadOf(message, rawBody),
    payloadRetentionHours: retentionHours(message) ?? parts.payloadRetentionDays * 24,
    idempotency:
      idempotencyKey === null
        ? null
        : {
            key: idempotencyKeyHash(ctx.orgId, ctx.actor, input.path, idempotencyKey),
            bodyHash: requestHash("", rawBody),
          },
  };
}

function retentionHours({ payloadRetentionHours: hours, payloadRetentionPeriod: days }: MessageIn) {
  if (typeof hours === "number" && typeof days === "number") {
    throw invalid(
      ["body", "payloadRetentionHours"],
      "is given beside payloadRetentionPeriod: only one counts",
    );
  }
  return hours ?? (typeof days === "number" ? days * 24 : null);
}

function deliverAt({ deliverAt: text }: MessageIn, attemptRetentionDays: number): Date | null {
  if (!text) return null;
  const time = bodyTime("deliverAt", text);
  const days = Math.min(deliverAtDaysMax, attemptRetentionDays);
  if (time.getTime() > Date.now() + days * dayMs + slackMs) {
    throw invalid(["body", "deliverAt"], `must be at most ${days} days ahead`);
  }
  if (time.getTime() < 0) throw invalid(["body", "deliverAt"], "must not be before 1970");
  return time;
}

function payloadOf(message: MessageIn, rawBody: string): { payload: string; contentType: string | null } {
  const raw = message.transformationsParams?.rawPayload;
  if (raw !== undefined) {
    const headers = Object.entries(message.transformationsParams?.headers ?? {});
    const [, contentType] = headers.find(([name]) => name.toLowerCase() === "content-type") ?? [];
    if (contentType !== undefined && !/^[\x20-\x7e]{1,256}$/.test(contentType)) {
      throw invalid(["body", "transformationsParams", "headers"], "content-type must be printable ASCII");
    }
    return { payload: raw, contentType: contentType ?? "application/json" };
  }
  const member = message.payload === undefined ? "data" : "payload";
  const payload = message[member] === undefined ? null : jsonMember(rawBody, member);
  if (payload === null) throw invalid(["body", "payload"], "is required, and must be an object");
  return { payload, contentType: null };
}

/** Null when the payload is as its event type has it. */
async function checkAgainst(schema: PayloadSchema, { message }: SendMessageInput): Promise<AppError | null> {
  const validator = await schema();
  if (validator === null) return null;
  const raw = message.transformationsParams?.rawPayload;
  if (raw === undefined) {
    const member = message.payload === undefined ? "data" : "payload";
    return checkPayload(validator, message[member], ["body", member]);
  }
  const loc = ["body", "transformationsParams", "rawPayload"];
  if (isDeeperThan(raw, rawDepthMax)) return invalid(loc, "nests too deep to be checked against its schema");
  try {
    return checkPayload(validator, JSON.parse(raw), loc);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return invalid(loc, "must be JSON: its event type has payloads checked");
  }
}

/** An application that comes with the message is the one of the path, by its uid. */
function checkApplication({ message, appRef }: SendMessageInput): void {
  const application = message.application;
  if (!application) return;
  const loc = ["body", "application", "uid"];
  if (!application.uid) throw invalid(loc, "Application uid must be set", "application_uid_missing");
  if (application.uid !== appRef) {
    throw invalid(loc, "Application uid must be the one in the path", "application_uid_mismatch");
  }
}
