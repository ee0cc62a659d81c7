import { type Static, Type } from "@sinclair/typebox";
import { Id, Input, ListResponse, Name, Nullable, OptionalNullable, Text, Timestamp } from "./common.ts";

export const IntegrationIn = Input({
  name: Text({ minLength: 1, maxLength: 256, examples: ["Zapier"] }),
  featureFlags: OptionalNullable(
    Type.Array(Name, { maxItems: 25, description: "what the integration may see besides what all see" }),
  ),
});
export type IntegrationIn = Static<typeof IntegrationIn>;

export const IntegrationOut = Type.Object({
  id: Id("integ_"),
  name: Type.String(),
  featureFlags: Nullable(Type.Array(Type.String())),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export type IntegrationOut = Static<typeof IntegrationOut>;
export const IntegrationList = ListResponse(IntegrationOut);

export const IntegrationKeyOut = Type.Object({
  key: Type.String({ description: "a token that is good for this application until the next one is made" }),
});
export type IntegrationKeyOut = Static<typeof IntegrationKeyOut>;
