import { type Static, Type } from "@sinclair/typebox";
import { Input, ListResponse, Nullable, OptionalNullable, Text, Timestamp } from "./common.ts";

const Scope = Type.Union([Type.Literal("read"), Type.Literal("write"), Type.Literal("admin")], {
  description: "read: GET and HEAD; write: the rest of a tenant's data; admin: keys, access, environment",
});

export const ApiKeyIn = Input({
  name: Text({ minLength: 1, maxLength: 256 }),
  scopes: OptionalNullable(
    Type.Array(Scope, { minItems: 1, maxItems: 10, description: "read and write unless told" }),
  ),
  expiry: OptionalNullable(
    Type.Integer({ minimum: 1, maximum: 3_153_600_000, description: "seconds; never unless told" }),
  ),
});
export type ApiKeyIn = Static<typeof ApiKeyIn>;

const shown = {
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Scope),
  createdAt: Timestamp,
  expiresAt: Nullable(Timestamp),
};

export const ApiKeyCreatedOut = Type.Object({
  token: Type.String({ description: "the key itself, shown this once" }),
  ...shown,
});
export type ApiKeyCreatedOut = Static<typeof ApiKeyCreatedOut>;

export const ApiKeyOut = Type.Object({
  censoredToken: Type.String({ description: "the key's beginning and end" }),
  ...shown,
  lastUsedAt: Nullable(Timestamp),
});
export type ApiKeyOut = Static<typeof ApiKeyOut>;

export const ApiKeyList = ListResponse(ApiKeyOut);

export const ApiKeyExpireIn = Input({
  expiry: OptionalNullable(
    Type.Integer({ minimum: 0, maximum: 259_200, description: "seconds it stays good, 0 unless told" }),
  ),
});
export type ApiKeyExpireIn = Static<typeof ApiKeyExpireIn>;
