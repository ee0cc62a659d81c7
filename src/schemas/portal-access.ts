import { type Static, Type } from "@sinclair/typebox";
import { ApplicationIn } from "./applications.ts";
import { Input, Name, OptionalNullable, Pattern } from "./common.ts";

const Capability = Type.Union(
  [
    Type.Literal("ViewBase"),
    Type.Literal("ViewEndpointSecret"),
    Type.Literal("ManageEndpointSecret"),
    Type.Literal("ManageTransformations"),
    Type.Literal("CreateAttempts"),
    Type.Literal("ManageEndpoint"),
  ],
  {
    description:
      "ViewBase: look, at all but secrets. ViewEndpointSecret: see secrets. ManageEndpointSecret: rotate them too. " +
      "CreateAttempts: resend, recover, replay, send examples. ManageEndpoint: change anything of endpoints, their " +
      "secrets included, and read those that are polled as a consumer.",
  },
);
const SessionId = Type.String({
  ...Pattern("^[a-zA-Z0-9@_-]+$", "must be of letters, digits and @ _ - only"),
  minLength: 1,
  maxLength: 64,
  examples: ["session-1"],
});

export const AppPortalAccessIn = Input({
  application: Type.Optional(
    Type.Union([ApplicationIn, Type.Null()], { description: "made when the path names none yet" }),
  ),
  featureFlags: OptionalNullable(Type.Array(Name, { maxItems: 25 })),
  capabilities: OptionalNullable(
    Type.Array(Capability, { maxItems: 50, description: "all unless told; ViewBase must be among them" }),
  ),
  readOnly: OptionalNullable(Type.Boolean({ description: "nothing but looking, whatever the capabilities" })),
  expiry: OptionalNullable(
    Type.Integer({ minimum: 3600, maximum: 604_800, description: "seconds, 604800 unless told" }),
  ),
  sessionId: OptionalNullable(SessionId),
});
export type AppPortalAccessIn = Static<typeof AppPortalAccessIn>;

export const AppPortalAccessOut = Type.Object({ url: Type.String(), token: Type.String() });
export type AppPortalAccessOut = Static<typeof AppPortalAccessOut>;

export const ApplicationTokenExpireIn = Input({
  expiry: OptionalNullable(
    Type.Integer({ minimum: 0, maximum: 259_200, description: "seconds they stay good, 0 unless told" }),
  ),
  sessionIds: OptionalNullable(
    Type.Array(SessionId, {
      maxItems: 1000,
      description: "only the tokens of these; all of them unless told",
    }),
  ),
});
export type ApplicationTokenExpireIn = Static<typeof ApplicationTokenExpireIn>;
