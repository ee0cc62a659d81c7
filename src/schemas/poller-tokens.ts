import { type Static, Type } from "@sinclair/typebox";
import { Id, Input, Nullable, OptionalNullable, Timestamp } from "./common.ts";

export const RotatePollerTokenIn = Input({
  expiry: OptionalNullable(
    Type.Integer({ minimum: 1, maximum: 31_536_000, description: "seconds; never unless told" }),
  ),
  oldTokenExpiry: OptionalNullable(
    Type.Integer({
      minimum: 0,
      maximum: 86_400,
      description: "seconds that the one before stays good, 300 unless told; 0 ends it at once",
    }),
  ),
});
export type RotatePollerTokenIn = Static<typeof RotatePollerTokenIn>;

export const PollerTokenOut = Type.Object({
  id: Id("poll_"),
  token: Type.String({ description: "reads this endpoint and moves its consumers, and may do nothing else" }),
  name: Type.Null(),
  scopes: Type.Null(),
  createdAt: Timestamp,
  expiresAt: Nullable(Timestamp),
});
export type PollerTokenOut = Static<typeof PollerTokenOut>;
