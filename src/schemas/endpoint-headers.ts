import { type Static, Type } from "@sinclair/typebox";
import { Input, Nullable, Text } from "./common.ts";

export const Headers = Type.Record(Type.String(), Text(), {
  description: "sent with every delivery, besides Posthorn's own",
  examples: [{ "x-team": "billing" }],
});

export const EndpointHeadersIn = Input({ headers: Headers });

/** A value replaces, null deletes, and so does `deleteHeaders`. */
export const EndpointHeadersPatchIn = Input({
  headers: Type.Optional(
    Type.Record(Type.String(), Nullable(Text()), { examples: [{ "x-team": "billing", "x-old": null }] }),
  ),
  deleteHeaders: Type.Optional(Type.Array(Type.String(), { maxItems: 1000, examples: [["x-older"]] })),
});
export type EndpointHeadersPatchIn = Static<typeof EndpointHeadersPatchIn>;

export const EndpointHeadersOut = Type.Object({
  headers: Type.Record(Type.String(), Type.String(), { examples: [{ "x-team": "billing" }] }),
  sensitive: Type.Array(Type.String(), {
    description: "names of those whose values are not shown",
    examples: [["authorization"]],
  }),
});
export type EndpointHeadersOut = Static<typeof EndpointHeadersOut>;
