import { type TSchema, Type } from "@sinclair/typebox";

/** Control characters that no string may hold: PostgreSQL refuses NUL, and the rest have no honest use. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const controlCharacters = /[\u0000-\u0008]/;
export const hasControlCharacters = (text: string): boolean => controlCharacters.test(text);

const noControl = "^[^\\u0000-\\u0008]*$";
export const namePattern = "^[a-zA-Z0-9\\-_.]+$";

export const Text = (options: { minLength?: number; maxLength?: number; description?: string } = {}) =>
  Type.String({ pattern: noControl, ...options });
export const Name = Type.String({ pattern: namePattern, minLength: 1, maxLength: 256 });
/** A uid must not look like an id of its own kind, or the two could not be told apart in a path. */
export const Uid = (prefix: string) =>
  Type.String({ pattern: `^(?!${prefix})[a-zA-Z0-9\\-_.]+$`, minLength: 1, maxLength: 256 });
export const Channel = Type.String({ pattern: namePattern, minLength: 1, maxLength: 128 });
export const Timestamp = Type.String({ format: "date-time", description: "RFC 3339, UTC" });
export const ThrottleRate = Type.Integer({ minimum: 1, maximum: 65535, description: "messages per second" });
export const Metadata = Type.Record(Type.String({ pattern: noControl }), Text());

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
export const OptionalNullable = <S extends TSchema>(schema: S) => Type.Optional(Nullable(schema));

export const ListQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 250, description: "at most this many, 50 unless told" }),
  ),
  iterator: Type.Optional(Type.String({ maxLength: 300, description: "where the page before ended" })),
};
export const OrderQuery = {
  order: Type.Optional(Type.Union([Type.Literal("ascending"), Type.Literal("descending")])),
};

export const ListResponse = <S extends TSchema>(item: S) =>
  Type.Object({
    data: Type.Array(item),
    done: Type.Boolean(),
    iterator: Nullable(Type.String()),
    prevIterator: Nullable(Type.String()),
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
