import { type Static, Type } from "@sinclair/typebox";
import { ApplicationIn } from "./applications.ts";
import { Input, Name, OptionalNullable } from "./common.ts";

export const AppPortalAccessIn = Input({
  application: Type.Optional(
    Type.Union([ApplicationIn, Type.Null()], { description: "made when the path names none yet" }),
  ),
  featureFlags: Type.Optional(Type.Array(Name, { maxItems: 25 })),
  expiry: OptionalNullable(
    Type.Integer({ minimum: 3600, maximum: 604_800, description: "seconds, 604800 unless told" }),
  ),
});
export type AppPortalAccessIn = Static<typeof AppPortalAccessIn>;

export const AppPortalAccessOut = Type.Object({ url: Type.String(), token: Type.String() });
export type AppPortalAccessOut = Static<typeof AppPortalAccessOut>;
