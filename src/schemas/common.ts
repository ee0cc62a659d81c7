import { FormatRegistry, type TInteger, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { retryDelaySecondsMax, retryDelaysMax } from "../services/delivery-limits.ts";
import { invalid } from "../services/errors.ts";

// PostgreSQL refuses NUL, the other control characters have no honest use, and half a surrogate pair is no text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const controlCharacters = /[\u0000-\u0008]/;
export const isText = (value: string): boolean => value.isWellFormed() && !controlCharacters.test(value);
// A format and not a pattern: a pattern for this would walk large strings by backtracking.
FormatRegistry.Set("text", isText);

const patternWords = new Map<string, string>();
/** A pattern, and what a refusal says instead of it: `must …`. */
export const Pattern = (pattern: string, words: string) => {
  patternWords.set(pattern, words);
  return { pattern };
};
/** What a refusal says of a pattern. */
export const wordsOfPattern = (pattern: unknown): string | undefined =>
  typeof pattern === "string" ? patternWords.get(pattern) : undefined;

export const namePattern = "^[a-zA-Z0-9\\-_.]+$";
const nameWords = "must be of letters, digits and - _ . only";

export const Text = (
  options: { minLength?: number; maxLength?: number; description?: string; examples?: string[] } = {},
) => Type.String({ format: "text", ...options });
export const Name = Type.String({
  ...Pattern(namePattern, nameWords),
  minLength: 1,
  maxLength: 256,
  examples: ["user.signup"],
});
/** A uid must not look like an id of its own kind, or the two could not be told apart in a path. */
export const Uid = (prefix: string, example: string) =>
  Type.String({
    ...Pattern(`^(?!${prefix})[a-zA-Z0-9\\-_.]+$`, `${nameWords}, and not begin with ${prefix}`),
    minLength: 1,
    maxLength: 256,
    description: "your own name for it, good wherever its id is",
    examples: [example],
  });
/** What a path names something by; what doesn't fit names nothing and is a 404. */
export const Ref = Type.String({ pattern: namePattern, maxLength: 256, description: "id or uid" });
/** The hosted service's alphabet, which is wider than the reference server's. */
export const Channel = Type.String({
  ...Pattern("^[a-zA-Z0-9\\-_.:+]+$", "must be of letters, digits and - _ . : + only"),
  minLength: 1,
  maxLength: 128,
  examples: ["project_1337"],
});
export const Tag = Type.String({
  ...Pattern("^[a-zA-Z0-9\\-_./\\\\#]+$", "must be of letters, digits and - _ . / \\ # only"),
  minLength: 1,
  maxLength: 128,
  examples: ["spring-sale"],
});
export const Timestamp = Type.String({
  format: "date-time",
  description: "RFC 3339, UTC",
  examples: ["2026-01-02T03:04:05.678Z"],
});
export const ThrottleRate = Type.Integer({
  minimum: 1,
  maximum: 65535,
  description: "messages per second",
  examples: [100],
});
/** As `ThrottleRate`; clients may also clear it with 0 where they change it. */
export const ThrottleRatePatch = Type.Integer({
  minimum: 0,
  maximum: 65535,
  description: "messages per second; 0 for no limit, as null",
  examples: [100],
});
/** @param otherwise what holds without one */
export const RetrySchedule = (otherwise: string) =>
  Type.Array(Type.Number({ minimum: 0, maximum: retryDelaySecondsMax }), {
    maxItems: retryDelaysMax,
    description: `seconds before each retry, fractions allowed; [] for no retries, null for ${otherwise}`,
    examples: [[5, 300, 7200]],
  });
/** The name that 1.x SDKs have for something. */
export const Legacy = <S extends TSchema>(schema: S, name: string): S => ({
  ...schema,
  deprecated: true,
  description: `what 1.x SDKs call ${name}`,
});
/** An id that we made. */
export const Id = (prefix: string) =>
  Type.String({
    description: "made by us, sorts by time",
    examples: [`${prefix}2y6rkTqDGfhN0pQcnKp7HVzq3Ba`],
  });
export const Metadata = Type.Record(Type.String(), Text(), {
  description: "your own notes, 4 KB of JSON at most",
  examples: [{ plan: "pro" }],
});

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const OptionalNullable = <S extends TSchema>(schema: S) => Type.Optional(Nullable(schema));

/** A request's body or query: what is unknown in it is ignored, as clients are older or newer than we are. */
export const Input = <P extends TProperties>(properties: P, options: { examples?: object[] } = {}) =>
  Type.Object(properties, { ...options, additionalProperties: true });

/** A number in a query: text that is none is a 400, one out of range a 422. */
export const QueryInteger = (
  name: string,
  range: { minimum: number; maximum: number; description?: string },
) =>
  Type.Transform(Type.Union([Type.String({ pattern: "^-?\\d{1,15}$" }), Type.Integer()], range))
    .Decode((value) => {
      const number = Number(value);
      if (number >= range.minimum && number <= range.maximum) return number;
      throw invalid(["query", name], `must be from ${range.minimum} to ${range.maximum}`);
    })
    // Routes see what comes out of it.
    .Encode((value) => value) as unknown as TInteger;

/** @param cursor a pattern that every iterator of the list matches, or else is a 422 */
export const listQuery = (cursor: string) => ({
  limit: Type.Optional(
    QueryInteger("limit", { minimum: 1, maximum: 250, description: "at most this many, 50 unless told" }),
  ),
  iterator: Type.Optional(
    Type.String({
      ...Pattern(`^-?${cursor}$`, "must be the iterator or prevIterator of a page of this list"),
      maxLength: 300,
      description: "where the page before ended",
    }),
  ),
});
export const idCursor = (prefix: string) => `${prefix}[0-9A-Za-z]{27}`;
export const OrderQuery = {
  order: Type.Optional(
    Type.Union([Type.Literal("ascending"), Type.Literal("descending")], { description: "by time of making" }),
  ),
};

export const ListResponse = <S extends TSchema>(item: S) =>
  Type.Object({
    data: Type.Array(item),
    done: Type.Boolean({ description: "there are no more that way" }),
    iterator: Nullable(Type.String({ description: "leads to the next page" })),
    prevIterator: Nullable(Type.String({ description: "leads to the page before" })),
  });

export const HttpError = Type.Object({ code: Type.String(), detail: Type.String() });
export const ValidationError = Type.Object({
  detail: Type.Array(
    Type.Object({ loc: Type.Array(Type.String()), msg: Type.String(), type: Type.String() }),
  ),
});
/** What any route may answer besides its success. */
export const errorResponses = {
  400: HttpError,
  401: HttpError,
  403: HttpError,
  404: HttpError,
  409: HttpError,
  413: HttpError,
  422: ValidationError,
  500: HttpError,
  503: HttpError,
};
/** A success without a body. */
export const Empty = Type.Undefined();
