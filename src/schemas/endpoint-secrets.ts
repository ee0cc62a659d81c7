import { type Static, Type } from "@sinclair/typebox";
import { Input, OptionalNullable, Pattern } from "./common.ts";

export const Secret = Type.String({
  ...Pattern(
    "^(whsec_|whsk_)?[a-zA-Z0-9+/=]{32,100}$",
    "must be from 32 to 100 characters of base64, with whsec_ or whsk_ before them or nothing",
  ),
  description: "base64 of 24 to 75 random bytes, with or without whsec_, or whsk_ and an Ed25519 private key",
  examples: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
});

export const EndpointSecretRotateIn = Input({
  key: OptionalNullable(Secret),
  gracePeriodSeconds: OptionalNullable(
    Type.Integer({
      minimum: 0,
      maximum: 604_800,
      description: "how long the old one signs too, 86400 unless told",
      examples: [86_400],
    }),
  ),
});
export type EndpointSecretRotateIn = Static<typeof EndpointSecretRotateIn>;

export const EndpointSecretOut = Type.Object({
  key: Type.String({
    description: "what a receiver verifies with: whsec_, or whpk_ for an Ed25519 key",
    examples: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  }),
});
export type EndpointSecretOut = Static<typeof EndpointSecretOut>;
