import { type Static, Type } from "@sinclair/typebox";
import {
  Input,
  ListResponse,
  Metadata,
  Nullable,
  OptionalNullable,
  Text,
  ThrottleRate,
  ThrottleRatePatch,
  Timestamp,
  Uid,
} from "./common.ts";

const ApplicationUid = Uid("app_");

export const ApplicationIn = Input({
  name: Text({ minLength: 1 }),
  uid: OptionalNullable(ApplicationUid),
  throttleRate: OptionalNullable(ThrottleRate),
  rateLimit: OptionalNullable(ThrottleRate),
  metadata: Type.Optional(Metadata),
});
export type ApplicationIn = Static<typeof ApplicationIn>;

/** Absent keeps, null clears. */
export const ApplicationPatch = Input({
  name: Type.Optional(Text({ minLength: 1 })),
  uid: OptionalNullable(ApplicationUid),
  throttleRate: OptionalNullable(ThrottleRatePatch),
  rateLimit: OptionalNullable(ThrottleRatePatch),
  metadata: Type.Optional(Metadata),
});
export type ApplicationPatch = Static<typeof ApplicationPatch>;

export const ApplicationOut = Type.Object({
  id: Type.String(),
  uid: Nullable(Type.String()),
  name: Type.String(),
  throttleRate: Nullable(Type.Integer()),
  rateLimit: Nullable(Type.Integer({ description: "what 1.x SDKs call throttleRate" })),
  metadata: Metadata,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type ApplicationOut = Static<typeof ApplicationOut>;

export const ApplicationList = ListResponse(ApplicationOut);
