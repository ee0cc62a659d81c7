import { type Static, Type } from "@sinclair/typebox";
import { ApplicationIn } from "./applications.ts";
import { Channel, Input, Name, OptionalNullable, Tag, Text, Timestamp, Uid } from "./common.ts";

/** An object whose members are nobody's business here: its bytes are passed on. */
const Payload = Type.Object(
  {},
  { additionalProperties: true, description: "any JSON object", examples: [{ user: "ada" }] },
);

export const MessageIn = Input(
  {
    eventType: Name,
    payload: Type.Optional(Payload),
    data: Type.Optional(
      Type.Object(
        {},
        { additionalProperties: true, description: "another name for payload", deprecated: true },
      ),
    ),
    eventId: OptionalNullable(Uid("msg_", "signup-ada")),
    channels: OptionalNullable(Type.Array(Channel, { minItems: 1, maxItems: 10, uniqueItems: true })),
    tags: OptionalNullable(
      Type.Array(Tag, { maxItems: 5, uniqueItems: true, description: "what lists can be narrowed to" }),
    ),
    deliverAt: OptionalNullable({
      ...Timestamp,
      description: "not before this; at most 30 days ahead, and no longer than ATTEMPT_RETENTION_DAYS",
    }),
    application: OptionalNullable(ApplicationIn),
    payloadRetentionPeriod: OptionalNullable(
      Type.Integer({ minimum: 5, maximum: 90, description: "days that the payload is kept", examples: [90] }),
    ),
    payloadRetentionHours: OptionalNullable(
      Type.Integer({
        minimum: 1,
        maximum: 2160,
        description: "hours that the payload is kept, in place of payloadRetentionPeriod",
      }),
    ),
    transformationsParams: OptionalNullable(
      Type.Object({
        rawPayload: Type.Optional(
          Text({ description: "sent as the body instead of payload, byte for byte" }),
        ),
        headers: Type.Optional(Type.Record(Type.String(), Type.String())),
      }),
    ),
  },
  {
    examples: [
      {
        eventType: "user.signup",
        eventId: "signup-ada",
        channels: ["project_1337"],
        payload: { user: "ada" },
      },
    ],
  },
);
export type MessageIn = Static<typeof MessageIn>;
