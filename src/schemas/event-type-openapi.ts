import { type Static, Type } from "@sinclair/typebox";
import { Input, Name, Nullable, OptionalNullable } from "./common.ts";

const example = {
  openapi: "3.1.0",
  info: { title: "Webhooks", version: "1" },
  webhooks: {
    "user.signup": {
      post: {
        description: "Somebody signed up",
        requestBody: { content: { "application/json": { schema: { type: "object" } } } },
      },
    },
  },
};

export const EventTypeImportOpenApiIn = Input(
  {
    dryRun: Type.Optional(Type.Boolean({ description: "says what would come of it, and changes nothing" })),
    replaceAll: Type.Optional(Type.Boolean({ description: "archives the event types that are not in it" })),
    spec: OptionalNullable(
      Type.Object(
        {},
        {
          additionalProperties: true,
          description: "an OpenAPI document: either this or specRaw",
        },
      ),
    ),
    specRaw: OptionalNullable(Type.String({ description: "the same as text, in JSON or YAML" })),
  },
  { examples: [{ spec: example }] },
);
export type EventTypeImportOpenApiIn = Static<typeof EventTypeImportOpenApiIn>;

export const EventTypeFromOpenApi = Type.Object({
  name: Name,
  description: Type.String({ examples: ["Somebody signed up"] }),
  deprecated: Type.Boolean(),
  schemas: Nullable(Type.Record(Type.String(), Type.Unknown())),
  groupName: Nullable(Type.String({ examples: ["user"] })),
  featureFlags: Nullable(Type.Array(Type.String({ examples: ["beta"] }))),
});
export type EventTypeFromOpenApi = Static<typeof EventTypeFromOpenApi>;

export const EventTypeImportOpenApiOut = Type.Object({
  data: Type.Object({
    modified: Type.Array(Name, { description: "what was made or changed; nothing in a dry run" }),
    to_modify: Nullable(Type.Array(EventTypeFromOpenApi, { description: "of a dry run" })),
  }),
});
export type EventTypeImportOpenApiOut = Static<typeof EventTypeImportOpenApiOut>;

export const EventTypeOpenApiOut = Type.Object({
  openapi: Type.String({ examples: ["3.1.0"] }),
  info: Type.Object({ title: Type.String(), version: Type.String() }),
  webhooks: Type.Record(Type.String(), Type.Unknown(), { description: "by event type" }),
  components: Type.Optional(
    Type.Object({
      schemas: Type.Record(Type.String(), Type.Unknown(), {
        description: "by event type, of those that refer to themselves",
      }),
    }),
  ),
});
export type EventTypeOpenApiOut = Static<typeof EventTypeOpenApiOut>;
