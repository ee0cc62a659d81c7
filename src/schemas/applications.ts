import { type Static, Type } from "@sinclair/typebox";
import {
  Id,
  Input,
  Legacy,
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

const ApplicationUid = Uid("app_", "customer-42");

export const ApplicationIn = Input({
  name: Text({ minLength: 1, examples: ["Acme"] }),
  uid: OptionalNullable(ApplicationUid),
  throttleRate: OptionalNullable(ThrottleRate),
  rateLimit: OptionalNullable(Legacy(ThrottleRate, "throttleRate")),
  metadata: Type.Optional(Metadata),
});
export type ApplicationIn = Static<typeof ApplicationIn>;

/** Absent keeps, null clears. */
export const ApplicationPatch = Input({
  name: Type.Optional(Text({ minLength: 1, examples: ["Acme"] })),
  uid: OptionalNullable(ApplicationUid),
  throttleRate: OptionalNullable(ThrottleRatePatch),
  rateLimit: OptionalNullable(Legacy(ThrottleRatePatch, "throttleRate")),
  metadata: Type.Optional(Metadata),
});
export type ApplicationPatch = Static<typeof ApplicationPatch>;

export const ApplicationOut = Type.Object({
  id: Id("app_"),
  uid: Nullable(Type.String({ examples: ["customer-42"] })),
  name: Type.String({ examples: ["Acme"] }),
  throttleRate: Nullable(Type.Integer({ description: "messages per second", examples: [100] })),
  rateLimit: Nullable(Legacy(Type.Integer({ examples: [100] }), "throttleRate")),
  metadata: Metadata,
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type ApplicationOut = Static<typeof ApplicationOut>;

export const ApplicationList = ListResponse(ApplicationOut);
